//! What a check expected and found, as it is kept: small, and made into JSON when somebody looks.

use std::{fmt, sync::OnceLock};

use serde_json::Value;

/// A value of a check.
///
/// Thousands of decisions are kept and hardly one is looked at, so a value costs as little as it can until then.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    kept: Kept,
    /// Its JSON, once somebody has looked.
    told: OnceLock<Box<Value>>,
}

#[derive(Clone, Default)]
enum Kept {
    #[default]
    Nothing,
    Text(Box<str>),
    Value(Box<Value>),
    Made(Box<dyn Make>),
}

/// What makes a value: a closure over what it is made of.
trait Make: Send + Sync {
    fn make(&self) -> Value;
    fn copy(&self) -> Box<dyn Make>;
}

impl<F: Fn() -> Value + Clone + Send + Sync + 'static> Make for F {
    fn make(&self) -> Value {
        self()
    }

    fn copy(&self) -> Box<dyn Make> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Make> {
    fn clone(&self) -> Self {
        (**self).copy()
    }
}

impl Shown {
    pub(crate) fn of(value: Value) -> Self {
        let kept = match value {
            Value::Null => Kept::Nothing,
            Value::String(text) => Kept::Text(text.into_boxed_str()),
            value => Kept::Value(Box::new(value)),
        };
        Self { kept, told: OnceLock::new() }
    }

    pub(crate) fn made(make: impl Fn() -> Value + Clone + Send + Sync + 'static) -> Self {
        Self { kept: Kept::Made(Box::new(make)), told: OnceLock::new() }
    }

    /// The value; the same whenever it is looked at.
    pub(crate) fn get(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        match &self.kept {
            Kept::Nothing => &NOTHING,
            Kept::Value(value) => value,
            Kept::Text(text) => self.told.get_or_init(|| Box::new(Value::String(text.to_string()))),
            Kept::Made(made) => self.told.get_or_init(|| Box::new(made.make())),
        }
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_made_when_somebody_looks_and_only_once() {
        let looked = Arc::new(AtomicUsize::new(0));
        let shown = Shown::made({
            let looked = Arc::clone(&looked);
            move || json!({ "times": looked.fetch_add(1, Ordering::Relaxed) })
        });
        assert_eq!(looked.load(Ordering::Relaxed), 0);
        assert_eq!((shown.get(), shown.get()), (&json!({ "times": 0 }), &json!({ "times": 0 })));
        assert_eq!(format!("{:?}", shown.clone()), format!("{:?}", json!({ "times": 0 })));
    }

    #[test]
    fn a_value_is_the_same_however_it_is_kept() {
        for value in [Value::Null, json!("a"), json!(1), json!({ "a": [true] })] {
            let kept = Shown::of(value.clone());
            let made = Shown::made({
                let value = value.clone();
                move || value.clone()
            });
            assert_eq!((kept.get(), &kept), (&value, &made));
        }
    }
}
