//! Programs that were compiled already.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::{
    dialect::Dialect,
    program::{CompileError, Program},
};

type Compiled = Result<Program, CompileError>;

/// The most texts of one generation, and the most bytes of them.
const MOST_TEXTS: usize = 1024;
const MOST_BYTES: usize = 1 << 20;

/// Two generations: what was not asked for while the young one filled is forgotten.
#[derive(Default)]
struct Cache {
    young: HashMap<Arc<str>, Compiled>,
    old: HashMap<Arc<str>, Compiled>,
    young_bytes: usize,
}

impl Cache {
    fn get(&mut self, text: &str) -> Option<Compiled> {
        if let Some(found) = self.young.get(text) {
            return Some(found.clone());
        }
        let (text, found) = self.old.remove_entry(text)?;
        self.put(text, found.clone());
        Some(found)
    }

    fn put(&mut self, text: Arc<str>, compiled: Compiled) {
        if self.young.len() >= MOST_TEXTS || self.young_bytes + text.len() > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += text.len();
        self.young.insert(text, compiled);
    }
}

/// What compiling a text gave, or gives now. Wrong texts are kept, too: they cost as much to read.
pub(crate) fn kept(text: &str, dialect: Dialect, compile: impl FnOnce() -> Compiled) -> Compiled {
    static CACHES: OnceLock<[Mutex<Cache>; 4]> = OnceLock::new();
    let [mapping, condition, iam, scenario] = CACHES.get_or_init(Default::default);
    let cache = match dialect {
        Dialect::AttributeMapping => mapping,
        Dialect::AttributeCondition => condition,
        Dialect::IamCondition => iam,
        Dialect::Scenario => scenario,
    };
    if let Some(found) = cache.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
        return found;
    }
    // Not under the lock: others need not wait for the parser.
    let compiled = compile();
    cache.lock().unwrap_or_else(PoisonError::into_inner).put(Arc::from(text), compiled.clone());
    compiled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> Compiled {
        Err(CompileError { message: message.to_owned(), offset: 0..0 })
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut cache = Cache::default();
        cache.put(Arc::from("kept"), refused("kept"));
        for n in 0..MOST_TEXTS * 4 {
            cache.put(Arc::from(format!("text {n}")), refused(""));
            if n % 100 == 0 {
                assert!(cache.get("kept").is_some(), "after {n}");
            }
        }
        assert!(cache.young.len() <= MOST_TEXTS && cache.old.len() <= MOST_TEXTS);
        assert!(cache.get("text 0").is_none());
    }

    #[test]
    fn long_texts_do_not_pile_up() {
        let mut cache = Cache::default();
        for n in 0..500 {
            cache.put(Arc::from(format!("{n:16000}")), refused(""));
        }
        let bytes: usize = cache.young.keys().chain(cache.old.keys()).map(|text| text.len()).sum();
        assert!(bytes <= 2 * MOST_BYTES);
    }
}
