//! What was asked of the rig that it does not play.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// No more different requests than this are listed; further ones are only counted together.
const MAX_ENTRIES: usize = 200;

/// Characters of a path that is listed.
const LONGEST: usize = 256;

/// Requests for methods that nobody plays, with how often each was made. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Unplayed(Arc<Mutex<BTreeMap<String, u64>>>);

impl Unplayed {
    /// What stands for all requests beyond the bound of the list.
    pub const MORE: &'static str = "others";

    /// Counts a request: the discovery id of a method, or something else that names it in a line.
    pub fn count(&self, request: String) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if list.len() < MAX_ENTRIES || list.contains_key(&request) { request } else { Self::MORE.to_owned() };
        *list.entry(key).or_default() += 1;
    }

    /// Counts a request for a path that nobody plays: for hosts whose paths are in no table of methods. The host may have a
    /// port; of long texts the start is kept.
    pub fn count_path(&self, verb: &str, host: &str, path: &str) {
        let host = host.split(':').next().unwrap_or_default();
        let short = |text: &str| text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect::<String>();
        self.count(format!("{} {}{}", short(verb), short(host), short(path)));
    }

    /// `VERB host/path` or the discovery id, with its count, in order.
    #[must_use]
    pub fn list(&self) -> Vec<(String, u64)> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|(request, count)| (request.clone(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_counted_without_port_and_end() {
        let unplayed = Unplayed::default();
        for port in ["", ":443"] {
            unplayed.count_path("GET", &format!("sts.googleapis.com{port}"), "/v1/a\u{1b}[1m");
        }
        unplayed.count_path("PUT", "h", &"é".repeat(1000));
        let list = unplayed.list();
        assert_eq!(list[0], ("GET sts.googleapis.com/v1/a[1m".to_owned(), 2));
        assert_eq!(list[1].0.chars().count(), "PUT h".len() + LONGEST);
    }

    #[test]
    fn a_client_cannot_make_the_list_endless() {
        let unplayed = Unplayed::default();
        (0..1000).for_each(|n| unplayed.count_path("GET", "h", &format!("/{n}")));
        let list = unplayed.list();
        assert_eq!((list.len(), list.iter().map(|(_, count)| count).sum::<u64>()), (MAX_ENTRIES + 1, 1000));
    }
}
