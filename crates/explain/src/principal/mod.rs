//! Whom a token names at a provider, and which bindings name that.

mod judged;
mod text;

use serde_json::{Value, json};
use tokenrig_cloud::Provider;
use tokenrig_jose::Map;
use tokenrig_policy::Identity;
use tokenrig_sts::{Reading, read};

pub use self::judged::{Judged, Verdict};

/// A member of a binding, as it is written somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The full name of the resource whose policy it is.
    pub resource: String,
    /// The role.
    pub role: String,
    /// The member.
    pub member: String,
    /// The expression of the binding's condition.
    pub condition: Option<String>,
    /// Where it stands: `shop.given.yaml:12:7`.
    pub at: String,
}

/// What an exchange of the token came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exchanged {
    /// Why it would be refused, in a line; `None` if it would not.
    pub refused: Option<String>,
    /// Whether it was taken without a look at its signature.
    pub unverified: bool,
    /// What would mend it, in a line.
    pub mend: Option<String>,
    /// Its checks, a line each.
    pub checks: Vec<String>,
    /// The same as JSON.
    pub json: Value,
}

/// The project that given documents are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfProject<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its number.
    pub number: &'a str,
}

/// Whom a token names at a provider, and which bindings name that. Its `Display` is what a person reads: the answer in the
/// first lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// What the token is, in a line.
    pub title: String,
    /// The provider's resource name.
    pub provider: String,
    /// Whether the Security Token Service would take it there.
    pub exchanged: Exchanged,
    /// Its claims, not verified.
    pub claims: Map,
    /// What the provider makes of them.
    pub reading: Reading,
    /// Every member that names it, the narrowest first; none if it has no `google.subject`.
    pub members: Vec<String>,
    /// The members of bindings that may mean a federated identity, the nearest first.
    pub bindings: Vec<Judged>,
    /// How many others there are.
    pub others: usize,
}

impl Principal {
    /// Compares what a provider makes of claims with what is written in bindings.
    #[must_use]
    pub fn of(
        title: String,
        provider: &Provider,
        claims: Map,
        exchanged: Exchanged,
        written: Vec<Written>,
        project: &OfProject<'_>,
    ) -> Self {
        let reading = read(provider, &claims);
        let members = reading.identity.as_ref().map(Identity::members).unwrap_or_default();
        let (may, not): (Vec<_>, Vec<_>) = written.into_iter().partition(|one| judged::may_mean(&one.member));
        let mut bindings: Vec<Judged> =
            may.into_iter().map(|written| judged::judge(written, &reading, &claims, project)).collect();
        bindings.sort_by_key(Judged::distance);
        Self {
            title,
            provider: provider.name(),
            exchanged,
            claims,
            members: members.iter().map(ToString::to_string).collect(),
            reading,
            bindings,
            others: not.len(),
        }
    }

    /// Whether the token is taken, and a binding names whom it stands for.
    #[must_use]
    pub fn good(&self) -> bool {
        self.exchanged.refused.is_none() && self.named().next().is_some()
    }

    /// The bindings that name it.
    fn named(&self) -> impl Iterator<Item = &Judged> {
        self.bindings.iter().filter(|one| matches!(one.verdict, Verdict::Names(_)))
    }

    /// The binding that came nearest to naming it.
    fn nearest(&self) -> Option<&Judged> {
        self.bindings.iter().find(|one| !matches!(one.verdict, Verdict::Names(_)))
    }

    /// All of it as data.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mapping = self.reading.mapping.iter().map(|line| {
            let mut told = line.from.to_json();
            told["attribute"] = line.attribute.as_str().into();
            told
        });
        let faults = self.reading.faults.iter();
        json!({
            "token": self.title,
            "provider": self.provider,
            "good": self.good(),
            "exchange": { "refused": self.exchanged.refused, "signatureChecked": !self.exchanged.unverified, "decision": self.exchanged.json },
            "claims": self.claims,
            "mapping": mapping.collect::<Vec<_>>(),
            "condition": self.reading.condition.as_ref().map(tokenrig_sts::Evaluated::to_json),
            "faults": faults.map(|fault| json!({ "check": fault.check, "refusal": fault.refusal, "mend": fault.mend }))
                .collect::<Vec<_>>(),
            "members": self.members,
            "bindings": self.bindings.iter().map(Judged::to_json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests;
