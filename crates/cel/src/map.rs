//! Maps: keys in the order they were written, found by value.

use std::{cmp::Ordering, fmt, sync::Arc};

use crate::value::Value;

/// A key of a map. Numbers are the same key if they are the same number: `1` and `1u` are.
#[derive(Debug, Clone)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A text.
    String(Arc<str>),
}

impl Key {
    /// The key that a value stands for; `None` for values that cannot be keys. A double that is a whole number finds
    /// the integer key, as the CEL specification asks.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Bool(*flag)),
            Value::Int(number) => Some(Self::Int(*number)),
            Value::Uint(number) => Some(Self::Uint(*number)),
            Value::String(text) => Some(Self::String(text.clone())),
            Value::Double(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(Self::Int(*number as i64)),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::Int(*number),
            Self::Uint(number) => Value::Uint(*number),
            Self::String(text) => Value::String(text.clone()),
        }
    }

    fn probe(&self) -> Probe<'_> {
        match self {
            Self::Bool(flag) => Probe::Bool(*flag),
            Self::Int(number) => Probe::Number(i128::from(*number)),
            Self::Uint(number) => Probe::Number(i128::from(*number)),
            Self::String(text) => Probe::Text(text),
        }
    }
}

/// A key without an owner, for look-ups.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Probe<'a> {
    Bool(bool),
    Number(i128),
    Text(&'a str),
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.probe() == other.probe()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.probe().cmp(&other.probe())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

/// Below this many entries a look-up goes through them all.
const INDEXED_FROM: usize = 12;

/// The entries of a map, in the order they were written.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
    /// Positions in `entries`, by key; empty while the map is small.
    index: Vec<u32>,
}

impl Map {
    /// A map of these entries; of equal keys the last one counts.
    pub fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut order: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
        let key_at = |position: u32| entries.get(position as usize).map(|(key, _)| key);
        order.sort_by(|a, b| key_at(*a).cmp(&key_at(*b)).then(a.cmp(b)));
        let mut repeated: Vec<u32> = order
            .windows(2)
            .filter_map(|pair| match pair {
                [first, second] if key_at(*first) == key_at(*second) => Some(*first),
                _ => None,
            })
            .collect();
        if !repeated.is_empty() {
            repeated.sort_unstable();
            let kept = (0u32..).zip(entries).filter(|(position, _)| repeated.binary_search(position).is_err());
            return Self::new(kept.map(|(_, entry)| entry).collect::<Vec<_>>());
        }
        let index = if entries.len() < INDEXED_FROM { Vec::new() } else { order };
        Self { entries, index }
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.find(&key.probe())
    }

    /// The value of a text key.
    pub fn get_text(&self, key: &str) -> Option<&Value> {
        self.find(&Probe::Text(key))
    }

    fn find(&self, probe: &Probe<'_>) -> Option<&Value> {
        if self.index.is_empty() {
            return self.entries.iter().find(|(key, _)| key.probe() == *probe).map(|(_, value)| value);
        }
        let at = |position: &u32| self.entries.get(*position as usize);
        let found = self
            .index
            .binary_search_by(|position| at(position).map_or(Ordering::Less, |(key, _)| key.probe().cmp(probe)))
            .ok()?;
        self.index.get(found).and_then(at).map(|(_, value)| value)
    }

    /// The entries, in the order they were written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: AsRef<str>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self::new(entries.into_iter().map(|(name, value)| (Key::String(Arc::from(name.as_ref())), value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_small_and_in_large_maps() {
        for size in [0i64, 1, 11, 12, 13, 500] {
            let map: Map = (0..size).map(|n| (format!("name-{n}"), Value::Int(n))).collect();
            for n in 0..size {
                assert_eq!(map.get_text(&format!("name-{n}")), Some(&Value::Int(n)), "{n} of {size}");
            }
            assert_eq!(map.get_text("name"), None, "of {size}");
        }
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        let map = Map::new([
            (Key::Int(1), Value::from("first")),
            (Key::Bool(true), Value::Null),
            (Key::Uint(1), Value::from("last")),
        ]);
        assert_eq!(map.len(), 2);
        assert_eq!(map.get(&Key::Int(1)), Some(&Value::from("last")));
    }
}
