//! What Google has not told about the administration of identities.

use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// What can be set about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Issuers that sign for many customers: a provider of one needs a condition that reads a claim.
    pub multi_tenant_issuers: Vec<String>,
    /// Whether uploaded keys may have `x5c` and `x5t`. Google's documents say no, a measurement of 2026 says yes.
    pub jwks_with_certificates: bool,
    /// Whether the rig's owner may create service accounts in a project that does not exist yet: the project comes into
    /// being with its first account. Google has no such thing; scenarios with two projects need it.
    pub owner_founds_projects: bool,
    /// How many operations are kept for `operations.get`.
    pub operations: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            multi_tenant_issuers: [
                "https://token.actions.githubusercontent.com",
                "https://gitlab.com",
                "https://app.terraform.io",
            ]
            .map(str::to_owned)
            .to_vec(),
            jwks_with_certificates: true,
            owner_founds_projects: true,
            operations: 10_000,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { multi_tenant_issuers, jwks_with_certificates, owner_founds_projects, operations });
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "multi_tenant_issuers",
        about: "the issuers whose providers need an attribute condition that reads a claim",
        default: "those of GitHub, gitlab.com and HCP Terraform",
        source: "Google's guide for deployment pipelines names these three; its whole list is not published",
    },
    Assumption {
        name: "jwks_with_certificates",
        about: "whether keys of `oidc.jwksJson` may have `x5c` and `x5t`",
        default: "they may",
        source: "a measurement of 2026-09-28 with a garbage `x5c`; the troubleshooting guide says the opposite",
    },
    Assumption {
        name: "owner_founds_projects",
        about: "whether the rig's owner may create service accounts in a project that does not exist yet",
        default: "yes, and the project exists from then on",
        source: "not Google's: accounts of other projects can be given",
    },
    Assumption {
        name: "permitted_members",
        about: "whom `constraints/iam.allowedPolicyMemberDomains` keeps out of policies",
        default: "`allUsers` and `allAuthenticatedUsers`, once any values are allowed; the rig does not know who is whose customer",
        source: "public captures with `allUsers`",
    },
    Assumption {
        name: "operations",
        about: "how many long-running operations are remembered",
        default: "10000",
        source: "not known",
    },
];
