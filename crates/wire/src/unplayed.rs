//! What was asked of the rig that it does not play.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// No more different requests than this are listed; further ones are only counted together.
const MAX_ENTRIES: usize = 200;

/// Requests for methods that nobody plays, with how often each was made. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Unplayed(Arc<Mutex<BTreeMap<String, u64>>>);

impl Unplayed {
    /// What stands for all requests beyond the bound of the list.
    pub const MORE: &'static str = "others";

    pub(crate) fn count(&self, request: String) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if list.len() < MAX_ENTRIES || list.contains_key(&request) { request } else { Self::MORE.to_owned() };
        *list.entry(key).or_default() += 1;
    }

    /// `VERB host/path` or the discovery id, with its count, in order.
    #[must_use]
    pub fn list(&self) -> Vec<(String, u64)> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|(request, count)| (request.clone(), *count)).collect()
    }
}
