//! Where an expression stands decides what it may use.

/// The place an expression is written for: its limits and its functions.
///
/// An expression of Google's own places may use only what Google documents for that place, so that nothing works here
/// that Google would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// One attribute mapping of a pool's provider: sees `assertion`; at most 2048 characters.
    /// Source: the workload identity federation guide and the IAM API's reference.
    AttributeMapping,
    /// The attribute condition of a pool's provider: sees `assertion`, `google` and `attribute`; at most 4096 characters.
    AttributeCondition,
    /// The condition of a binding or a deny rule, the availability condition of an access boundary: sees `request`,
    /// `resource`, `destination`, `origin`, `api`, `principal`; at most 4096 characters here (Google's limit is not known).
    IamCondition,
    /// Holes and assertions of a scenario: the strings extension, optionals, `absent`, and functions that the
    /// [`Scope`](crate::Scope) brings; at most 16384 characters.
    Scenario,
}

impl Dialect {
    /// The most characters that an expression may have here.
    pub fn max_characters(self) -> usize {
        match self {
            Self::AttributeMapping => 2048,
            Self::AttributeCondition | Self::IamCondition => 4096,
            Self::Scenario => 16_384,
        }
    }

    /// The most steps that one evaluation may take. A step is a node looked at, or 16 bytes made or compared.
    pub fn max_steps(self) -> u64 {
        match self {
            Self::AttributeMapping | Self::AttributeCondition | Self::IamCondition => 200_000,
            Self::Scenario => 2_000_000,
        }
    }

    /// The variables that this place has by Google's documents; `None` where the place itself names them.
    /// [`Program::compile`](crate::Program::compile) does not check this: compare with
    /// [`Program::variables`](crate::Program::variables).
    pub fn variables(self) -> Option<&'static [&'static str]> {
        match self {
            Self::AttributeMapping => Some(&["assertion"]),
            Self::AttributeCondition => Some(&["assertion", "google", "attribute"]),
            Self::IamCondition => Some(&["request", "resource", "destination", "origin", "api", "principal"]),
            Self::Scenario => None,
        }
    }
}
