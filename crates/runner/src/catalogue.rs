//! The refusals that a scenario may expect by their ids.

use tokenrig_decision::{Difference, Refusal, Seen};
use tokenrig_scenario::nearest;

/// All refusals of all services, as the caller lists them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalogue(&'static [&'static Refusal]);

impl Catalogue {
    /// A catalogue of these refusals.
    #[must_use]
    pub const fn new(refusals: &'static [&'static Refusal]) -> Self {
        Self(refusals)
    }

    /// Every form that has this id. A surface may give one id in several forms.
    fn of(self, id: &str) -> impl Iterator<Item = &'static Refusal> {
        self.0.iter().copied().filter(move |refusal| refusal.ids.contains(&id))
    }

    /// Whether an answer has the form of this refusal.
    pub(crate) fn compare(self, id: &str, seen: &Seen<'_>) -> Comparison {
        let mut fewest: Option<Vec<Difference>> = None;
        for refusal in self.of(id) {
            match refusal.compare(seen) {
                Ok(()) => return Comparison::Same,
                Err(differences) => {
                    if fewest.as_ref().is_none_or(|fewest| differences.len() < fewest.len()) {
                        fewest = Some(differences);
                    }
                }
            }
        }
        match fewest {
            Some(differences) => Comparison::Differs(differences),
            None => {
                let ids = self.0.iter().flat_map(|refusal| refusal.ids.iter().copied());
                Comparison::Unknown(nearest(id, ids))
            }
        }
    }

    /// The ids of all refusals whose form an answer has.
    pub(crate) fn forms(self, seen: &Seen<'_>) -> Vec<&'static str> {
        let same = self.0.iter().filter(|refusal| refusal.compare(seen).is_ok());
        same.flat_map(|refusal| refusal.ids.iter().copied()).collect()
    }
}

/// What came of a comparison with a refusal's form.
#[derive(Debug)]
pub(crate) enum Comparison {
    Same,
    Differs(Vec<Difference>),
    /// There is no such id; the nearest known one.
    Unknown(Option<&'static str>),
}
