//! What Google has not told about the exchange, and what is done instead.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings of the exchange. Each is an assumption, listed with its source in the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How far `exp` may be past and `iat` ahead.
    pub skew: SignedDuration,
    /// How long fetched keys are kept.
    pub keys_kept: SignedDuration,
    /// After an unknown key id made the issuer be asked again, the next one does so only this much later.
    pub asked_again_after: SignedDuration,
    /// How much of the subject token's life counts as gone on the way, and how much less than the federated token's
    /// life `expires_in` tells: once each.
    pub shortened: SignedDuration,
    /// Whether a subject token with a second of life left, or less, is answered by HTTP 500, as was measured.
    pub one_second_left_fails: bool,
    /// Whether a pool's `sessionDuration` may make a federated token outlive its subject token.
    pub session_outlives_token: bool,
    /// The longest subject token that is read, in bytes.
    pub longest_token: usize,
    /// Whether an `attribute.*` whose expression has no value refuses the exchange, rather than being left out.
    pub missing_attribute_fails: bool,
    /// Whether one trailing slash is no difference between the token's `iss` and the provider's `issuerUri`.
    pub trailing_slash_ignored: bool,
    /// Whether `options.userProject` is refused if the identity lacks `serviceusage.services.use` there.
    pub user_project_needs_permission: bool,
    /// The scope of a federated token when the request names none.
    pub default_scope: String,
    /// How long a federated token of an AWS identity lives, unless the pool says otherwise.
    pub aws_lifetime: SignedDuration,
    /// The longest life of a federated token of a workforce identity, however long its session is.
    pub workforce_lifetime: SignedDuration,
    /// How many groups of a workforce identity are mapped at most.
    pub most_workforce_groups: usize,
    /// Whether a request to AWS must have `x-goog-cloud-target-resource` among its signed headers.
    pub aws_target_signed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skew: SignedDuration::from_secs(60),
            keys_kept: SignedDuration::from_secs(5),
            asked_again_after: SignedDuration::from_secs(1),
            shortened: SignedDuration::from_secs(1),
            one_second_left_fails: false,
            session_outlives_token: true,
            longest_token: 64 << 10,
            missing_attribute_fails: false,
            trailing_slash_ignored: true,
            user_project_needs_permission: false,
            default_scope: "https://www.googleapis.com/auth/cloud-platform".to_owned(),
            aws_lifetime: SignedDuration::from_mins(15),
            workforce_lifetime: SignedDuration::from_hours(1),
            most_workforce_groups: 400,
            aws_target_signed: false,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] = settable!(Settings {
        skew,
        keys_kept,
        asked_again_after,
        shortened,
        one_second_left_fails,
        session_outlives_token,
        longest_token,
        missing_attribute_fails,
        trailing_slash_ignored,
        user_project_needs_permission,
        default_scope,
        aws_lifetime,
        workforce_lifetime,
        most_workforce_groups,
        aws_target_signed,
    });
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "skew",
        about: "how far a subject token's `exp` may be past and its `iat` ahead",
        default: "60 s",
        source: "a public measurement on 2026-09-28: exp −59 s and iat +60 s pass, exp −61 s and iat +119 s do not",
    },
    Assumption {
        name: "keys_kept",
        about: "how long an issuer's fetched keys are used without asking again",
        default: "5 s of the rig's clock",
        source: "not known; an uploaded key set was seen to take effect within 5 s",
    },
    Assumption {
        name: "asked_again_after",
        about: "how often a key id that the kept keys lack makes the issuer be asked again",
        default: "at once, then once in a second of the rig's clock",
        source: "not known",
    },
    Assumption {
        name: "shortened",
        about: "how much of the subject token's life is lost on the way, and kept from what `expires_in` says",
        default: "1 s each",
        source: "a public measurement on 2026-09-28: 30 s gives 28, 600 s 598, an hour 3598, more 3599, 2 s none",
    },
    Assumption {
        name: "one_second_left_fails",
        about: "whether a subject token with one second of life left is answered by HTTP 500",
        default: "no: by a federated token without `expires_in`",
        source: "a public measurement on 2026-09-28 saw the 500, its body is not known",
    },
    Assumption {
        name: "session_outlives_token",
        about: "whether a pool's `sessionDuration` alone says how long federated tokens live",
        default: "it does; without it, the subject token's remaining life and an hour bound them",
        source: "gcloud's help for `--session-duration`, which does not say it in so many words",
    },
    Assumption {
        name: "missing_attribute_fails",
        about: "what becomes of an `attribute.*` whose expression has no value, for example because a claim is missing",
        default: "it is left out",
        source: "not known; providers that map optional claims are in public use",
    },
    Assumption {
        name: "trailing_slash_ignored",
        about: "whether one trailing slash tells an issuer from another",
        default: "it does not",
        source: "two public walk-throughs that work differ from the token's `iss` by one trailing slash",
    },
    Assumption {
        name: "user_project_needs_permission",
        about: "whether an exchange is refused when the identity may not use the project in `options.userProject`",
        default: "it is not: the API that the token is shown to asks for the permission",
        source: "the STS reference calls it the project of calls with the token, google-auth-library-python#868 says that the principal needs the permission; who asks for it, and when, is not known",
    },
    Assumption {
        name: "default_scope",
        about: "the scope of a federated token when the request names none",
        default: "https://www.googleapis.com/auth/cloud-platform",
        source: "not known; official clients send an empty or no scope in some flows",
    },
    Assumption {
        name: "aws_lifetime",
        about: "how long a federated token of an AWS identity lives when its pool has no `sessionDuration`",
        default: "15 min",
        source: "gcloud's help for `--session-duration`",
    },
    Assumption {
        name: "workforce_lifetime",
        about: "how long a federated token of a workforce identity lives at most",
        default: "1 h, and never longer than its pool's `sessionDuration`, which counts from the exchange",
        source: "Google's page of token types; the IAM reference says that `sessionDuration` alone decides",
    },
    Assumption {
        name: "most_workforce_groups",
        about: "how many groups of a workforce identity are mapped at most",
        default: "400",
        source: "the guide of workforce identity federation names the number for groups of Entra ID",
    },
    Assumption {
        name: "workforce_without_project",
        about: "what APIs make of a workforce identity's token that was exchanged without `options.userProject`",
        default: "they take it: the call counts on no project",
        source: "google-auth-library-python#868 says that APIs reject such tokens; in which words is not known",
    },
    Assumption {
        name: "aws_target_signed",
        about: "whether a request to AWS must have `x-goog-cloud-target-resource` among its signed headers",
        default: "it need not",
        source: "the STS reference recommends it; every official client does",
    },
    Assumption {
        name: "aws_request_age",
        about: "how far the date of a signed request to AWS may be from now",
        default: "15 min",
        source: "the words with which AWS refuses an older one",
    },
    Assumption {
        name: "boundary_at_every_api",
        about: "where a downscoped token works",
        default: "at every API, for what its boundary makes available there",
        source: "Google documents access boundaries for Cloud Storage; what other APIs answer is not known",
    },
    Assumption {
        name: "downscoped_scope",
        about: "what `scope` and `audience` mean when an access token is downscoped",
        default: "nothing: the new token has the scopes of the one that it is made of",
        source: "the STS reference asks for them only where external credentials are exchanged",
    },
    Assumption {
        name: "longest_token",
        about: "the longest subject token that is read",
        default: "64 KiB",
        source: "not known",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_an_assumption_of_its_name() {
        for setting in Settings::KNOWN {
            assert!(ALL.iter().any(|assumption| assumption.name == setting.name), "{}", setting.name);
        }
    }
}
