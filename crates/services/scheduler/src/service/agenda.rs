//! What falls due, in its order: by instant, by name, by sequence.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokenrig_clock::Timestamp;

/// Something of a job that falls due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) name: Arc<str>,
    /// 0 for a start of the schedule, so that it comes before executions of the same instant; else the execution's number.
    pub(super) sequence: u32,
    /// The job's number.
    pub(super) job: u32,
}

/// What falls due. Jobs of one instant run by name, and ask in that order for their next one: so most of what is put here
/// belongs at the end of its instant, and is compared once.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeMap<Timestamp, VecDeque<Item>>);

impl Agenda {
    pub(super) fn insert(&mut self, at: Timestamp, item: Item) {
        let items = self.0.entry(at).or_default();
        if items.back().is_none_or(|last| *last < item) {
            items.push_back(item);
            return;
        }
        if let Err(place) = items.binary_search(&item) {
            items.insert(place, item);
        }
    }

    pub(super) fn remove(&mut self, at: Timestamp, item: &Item) {
        let Some(items) = self.0.get_mut(&at) else { return };
        if let Ok(place) = items.binary_search(item) {
            items.remove(place);
        }
        if items.is_empty() {
            self.0.remove(&at);
        }
    }

    /// What comes first.
    pub(super) fn first(&self) -> Option<(Timestamp, &Item)> {
        let (at, items) = self.0.first_key_value()?;
        Some((*at, items.front()?))
    }

    /// Takes what comes first, if it is due at `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Item)> {
        let mut first = self.0.first_entry().filter(|first| *first.key() <= now)?;
        let (at, item) = (*first.key(), first.get_mut().pop_front()?);
        if first.get().is_empty() {
            first.remove();
        }
        Some((at, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn item(name: &str, sequence: u32) -> Item {
        Item { name: name.into(), sequence, job: 0 }
    }

    #[test]
    fn it_gives_by_instant_then_name_then_sequence_whatever_the_order_of_putting() {
        let mut agenda = Agenda::default();
        for (second, name, sequence) in
            [(60, "b", 0), (60, "a", 2), (0, "c", 0), (60, "a", 0), (60, "b", 0), (60, "c", 0)]
        {
            agenda.insert(at(second), item(name, sequence));
        }
        assert_eq!(agenda.first().map(|(at, item)| (at.as_second(), &*item.name)), Some((0, "c")));
        let mut given = Vec::new();
        while let Some((at, item)) = agenda.pop(at(60)) {
            given.push((at.as_second(), item.name.to_string(), item.sequence));
        }
        let expected = [(0, "c", 0), (60, "a", 0), (60, "a", 2), (60, "b", 0), (60, "c", 0)];
        assert_eq!(given, expected.map(|(at, name, sequence)| (at, name.to_owned(), sequence)));
        assert!(agenda.first().is_none());
    }

    #[test]
    fn what_is_not_due_stays_and_what_was_removed_does_not_come() {
        let mut agenda = Agenda::default();
        agenda.insert(at(60), item("a", 0));
        agenda.insert(at(60), item("b", 0));
        assert_eq!(agenda.pop(at(59)), None);
        agenda.remove(at(60), &item("a", 0));
        agenda.remove(at(60), &item("z", 0));
        agenda.remove(at(61), &item("b", 0));
        assert_eq!(agenda.pop(at(60)).map(|(_, item)| item), Some(item("b", 0)));
        agenda.insert(at(70), item("a", 0));
        agenda.remove(at(70), &item("a", 0));
        assert!(agenda.first().is_none());
    }
}
