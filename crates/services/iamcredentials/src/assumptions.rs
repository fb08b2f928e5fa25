//! What Google has not told about IAM Credentials, and what is done instead.

use serde_json::Value;
use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Settable, Setting},
};

/// The settings of the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest life of an access token. Google allows 12 hours to accounts that an organization policy names.
    pub longest_lifetime: SignedDuration,
    /// How far ahead `exp` of a JWT may be that is to be signed.
    pub longest_jwt: SignedDuration,
    /// What `getAllowedLocations` answers for every principal.
    pub allowed_locations: AllowedLocations,
    /// Whether a principal may ask for its own allowed locations without any permission.
    pub own_locations: bool,
}

/// From where a principal may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedLocations {
    /// Region names.
    pub locations: Vec<String>,
    /// The same as a bit set, `0x` and hex digits.
    pub encoded: String,
}

impl Default for AllowedLocations {
    /// From everywhere.
    fn default() -> Self {
        Self { locations: Vec::new(), encoded: "0x0".to_owned() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            longest_lifetime: SignedDuration::from_hours(1),
            longest_jwt: SignedDuration::from_hours(12),
            allowed_locations: AllowedLocations::default(),
            own_locations: true,
        }
    }
}

/// The longest way from a caller to an account.
pub(crate) const MOST_DELEGATES: usize = 20;

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { longest_lifetime, longest_jwt, allowed_locations, own_locations });
}

impl Settable for AllowedLocations {
    const TAKES: &'static str = "`locations`, a list of regions, and `encodedLocations`, their bit set";

    fn read(value: &Value) -> Option<Self> {
        let fields = value.as_object().filter(|fields| fields.len() == 2)?;
        let locations = Vec::read(fields.get("locations")?)?;
        Some(Self { locations, encoded: String::read(fields.get("encodedLocations")?)? })
    }
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "longest_lifetime",
        about: "the longest life of an access token; `constraints/iam.allowServiceAccountCredentialLifetimeExtension` is not read",
        default: "1 h",
        source: "a public measurement on 2026-09-28: 3600 s pass, 3601 s do not",
    },
    Assumption {
        name: "longest_jwt",
        about: "how far ahead `exp` may be in the payload of signJwt",
        default: "12 h",
        source: "the reference of signJwt",
    },
    Assumption {
        name: "allowed_locations",
        about: "what getAllowedLocations answers",
        default: "no locations and `0x0`, for every principal",
        source: "official clients send this value back when nothing restricts the principal",
    },
    Assumption {
        name: "own_locations",
        about: "whether a service account, or an identity of a pool, may ask for its own allowed locations without a permission",
        default: "it may",
        source: "not known; official clients ask with the principal's own token before their first request",
    },
    Assumption {
        name: "scopes",
        about: "what counts as an OAuth scope",
        default: "`https://www.googleapis.com/auth/` and a name, and the few older forms; names are not looked up",
        source: "the URL of a Cloud Run service is refused (public report); Google's list of scopes grows",
    },
    Assumption {
        name: "most_delegates",
        about: "how many delegates a request may have",
        default: "20",
        source: "not known",
    },
    Assumption {
        name: "bare_delegates",
        about: "whether a delegate may be named by its address alone, without `projects/-/serviceAccounts/`",
        default: "it may",
        source: "not known; users of official clients write both",
    },
    Assumption {
        name: "unknown_account",
        about: "what an account that does not exist gets",
        default: "403 for callers who have no permission that reaches it, else 404",
        source: "both are in public reports; Google's text of the 403 says that it may not exist",
    },
    Assumption {
        name: "organization_number",
        about: "the JSON type of the claim `google.organization_number`",
        default: "a number; null where there is no organization",
        source: "the reference tells the null only; project numbers in `google.compute_engine` are numbers",
    },
];
