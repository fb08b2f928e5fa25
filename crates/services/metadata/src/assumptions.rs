//! What Google has not told about the metadata server, and what is done instead.

use serde_json::Value;
use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Settable, Setting},
};

/// What the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A virtual machine of Compute Engine: its tokens have the scopes that it was made with.
    ComputeEngine,
    /// Cloud Run, functions, App Engine: `scopes` of a token request are honoured, ID tokens always have the e-mail.
    Serverless,
}

/// The settings of one machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it is.
    pub platform: Platform,
    /// The scopes of its account.
    pub scopes: Vec<String>,
    /// How long an access token lives.
    pub lifetime: SignedDuration,
    /// So long before its end a token is no longer given, but a new one.
    pub renewed_before: SignedDuration,
    /// Its name.
    pub name: String,
    /// Its numeric id.
    pub id: u64,
    /// The zone within the project's location: the letter after it.
    pub zone: char,
    /// License ids, for ID tokens that ask for them.
    pub licenses: Vec<String>,
    /// Whether a directory without its closing slash is answered by a redirect.
    pub redirects: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            platform: Platform::ComputeEngine,
            scopes: [
                "https://www.googleapis.com/auth/cloud-platform",
                "https://www.googleapis.com/auth/userinfo.email",
            ]
            .map(str::to_owned)
            .to_vec(),
            lifetime: SignedDuration::from_hours(1),
            renewed_before: SignedDuration::from_mins(5),
            name: "tokenrig".to_owned(),
            id: 4_520_031_799_277_581_759,
            zone: 'a',
            licenses: vec!["1000204".to_owned()],
            redirects: false,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { platform, scopes, lifetime, renewed_before, name, id, zone, licenses, redirects });
}

impl Settable for Platform {
    const TAKES: &'static str = "`compute-engine` or `serverless`";

    fn read(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "compute-engine" => Some(Self::ComputeEngine),
            "serverless" => Some(Self::Serverless),
            _ => None,
        }
    }
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "platform",
        about: "what the machine is; on Cloud Run, functions and App Engine `scopes` of a token request are honoured and ID tokens have the e-mail",
        default: "a virtual machine of Compute Engine",
        source: "AIP-4115 for the scopes; that serverless ID tokens have the e-mail is common knowledge only",
    },
    Assumption {
        name: "scopes",
        about: "the scopes of the machine's account",
        default: "cloud-platform and userinfo.email",
        source: "those of a machine that was made with full access",
    },
    Assumption {
        name: "renewed_before",
        about: "how long before its end an access token is replaced",
        default: "5 min",
        source: "common knowledge; official clients renew about as early",
    },
    Assumption {
        name: "machine",
        about: "the machine's name, id, zone and license ids",
        default: "`tokenrig`, a fixed number, zone `a` of the project's location, one license",
        source: "the forms are documented, the values are ours",
    },
    Assumption {
        name: "redirects",
        about: "whether a directory without its closing slash is answered by a redirect to it",
        default: "no, it is answered at once",
        source: "a redirect is common knowledge; clients take either",
    },
    Assumption {
        name: "account_gone",
        about: "what the paths of a service account answer that is deleted or disabled",
        default: "404, as on a machine without one",
        source: "not known",
    },
];
