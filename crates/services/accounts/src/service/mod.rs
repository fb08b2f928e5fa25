//! What the account endpoints answer.

mod assertion;
mod keys;
mod refresh;
mod tokeninfo;

use std::sync::Arc;

use serde_json::Value;
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Decision};

pub(crate) use self::keys::Form;
use crate::{assumptions::Settings, refusals};

/// The endpoints of one rig.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    cloud: Cloud,
    settings: Arc<Settings>,
}

/// A document that anybody may have, and for how many seconds it may be kept.
pub(crate) struct Published {
    pub(crate) document: Value,
    pub(crate) max_age: i64,
}

/// What was decided, and the answer if it is a good one.
pub(crate) type Decided = (Decision, Option<Value>);

impl Accounts {
    pub(crate) fn new(cloud: Cloud, settings: Settings) -> Self {
        Self { cloud, settings: Arc::new(settings) }
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// What nothing here plays.
    pub(crate) fn unplayed(verb: &str, host: &str, path: &str) -> Decision {
        let (verb, path) = (short(verb), short(path));
        Decision::of("google-apis", format!("{verb} {path}")).check(|| {
            Check::named("request")
                .found(format!("{verb} {host}{path}"))
                .holds(false)
                .or_refuse(&refusals::NOT_PLAYED, "api-unplayed")
                .with("verb", verb)
                .with("host", host)
                .with("path", path)
        })
    }
}

/// Text from outside as it may be shown: bounded.
fn short(text: &str) -> String {
    const MOST: usize = 256;
    text.chars().take(MOST).collect()
}
