//! Rows as templates.

use std::sync::Arc;

use crate::model::{Given, Play, Scenario, Step};

/// What [`Scenario::play`] makes plays of.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) given: Arc<Given>,
    pub(crate) steps: Vec<Arc<Step>>,
}

impl Scenario {
    /// What a case does. `case` is an index of [`Scenario::cases`]; one past the end is taken as a case without values.
    #[must_use]
    pub fn play(&self, _case: usize) -> Play {
        Play { given: self.rows.given.clone(), steps: self.rows.steps.clone() }
    }
}
