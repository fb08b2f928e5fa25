//! Settings of a service, by the names that its list of assumptions has for them.
//!
//! A settings struct is [`Named`]: it names its fields once, with [`settable!`](crate::settable), and what a given document
//! says is put into it by [`Named::set`].
//!
//! ```
//! use serde_json::json;
//! use tokenrig_clock::SignedDuration;
//! use tokenrig_wire::{
//!     settable,
//!     settings::{Named, Setting},
//! };
//!
//! #[derive(Default)]
//! struct Settings {
//!     skew: SignedDuration,
//!     trailing_slash: bool,
//! }
//!
//! impl Named for Settings {
//!     const KNOWN: &[Setting<Self>] = settable!(Settings { skew, trailing_slash });
//! }
//!
//! let mut settings = Settings::default();
//! settings.set("skew", &json!("60s")).unwrap();
//! assert_eq!(settings.skew.as_secs(), 60);
//! let fault = settings.set("trailing_slsh", &json!(true)).unwrap_err();
//! assert_eq!(fault.to_string(), "it is no setting: did you mean `trailing_slash`?");
//! ```

use std::time::Duration;

use serde_json::Value;
use tokenrig_clock::SignedDuration;
use tokenrig_scenario::{duration, nearest};

/// One setting of the struct `S`. Made by [`settable!`](crate::settable).
#[derive(Debug)]
pub struct Setting<S> {
    /// The name of the field.
    pub name: &'static str,
    /// What it takes, in words.
    pub takes: &'static str,
    /// Puts a value there; false if the value is none that it takes.
    pub put: fn(&mut S, &Value) -> bool,
}

/// Something that a setting can be, read from a given document.
pub trait Settable: Sized {
    /// What is taken, in words: "a whole number".
    const TAKES: &'static str;

    /// Reads a value; `None` if it is another kind of thing.
    fn read(value: &Value) -> Option<Self>;
}

/// Why something was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingFault {
    /// There is no such setting.
    #[error("it is no setting: {}", meant(.nearest.as_ref(), known))]
    Unknown {
        /// The known name that is nearest.
        nearest: Option<&'static str>,
        /// All that are known.
        known: Vec<&'static str>,
    },
    /// It takes something else.
    #[error("it is {takes}")]
    Wrong {
        /// What it takes, in words.
        takes: &'static str,
    },
}

/// What was meant by a name that is not known: the nearest, or else one of the list.
fn meant(nearest: Option<&&'static str>, known: &[&'static str]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known are `{}`", known.join("`, `")),
    }
}

impl SettingFault {
    /// That `written` is none of the known names.
    #[must_use]
    pub fn unknown(written: &str, known: Vec<&'static str>) -> Self {
        Self::Unknown { nearest: nearest(written, known.iter().copied()), known }
    }
}

/// Settings whose fields can be set by their names.
pub trait Named: Sized + 'static {
    /// All of them.
    const KNOWN: &'static [Setting<Self>];

    /// Puts a value into the setting of this name.
    ///
    /// # Errors
    ///
    /// [`SettingFault`]: the settings are as they were.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), SettingFault> {
        let Some(setting) = Self::KNOWN.iter().find(|setting| setting.name == name) else {
            return Err(SettingFault::unknown(name, Self::KNOWN.iter().map(|setting| setting.name).collect()));
        };
        if (setting.put)(self, value) { Ok(()) } else { Err(SettingFault::Wrong { takes: setting.takes }) }
    }
}

/// Puts a value into a field: what [`settable!`](crate::settable) calls.
pub fn put<T: Settable>(field: &mut T, value: &Value) -> bool {
    T::read(value).map(|value| *field = value).is_some()
}

/// What a field takes: what [`settable!`](crate::settable) asks.
#[must_use]
pub const fn takes<S, T: Settable>(_: fn(&S) -> &T) -> &'static str {
    T::TAKES
}

/// The settings of a struct: `settable!(Settings { skew, keys_kept })`. All fields must be named, or it does not compile.
#[macro_export]
macro_rules! settable {
    ($settings:ident { $($field:ident),* $(,)? }) => {{
        const _: fn($settings) = |$settings { $($field: _),* }| {};
        &[$($crate::settings::Setting {
            name: stringify!($field),
            takes: $crate::settings::takes(|settings: &$settings| &settings.$field),
            put: |settings, value| $crate::settings::put(&mut settings.$field, value),
        }),*]
    }};
}

impl Settable for bool {
    const TAKES: &'static str = "`true` or `false`";

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Settable for SignedDuration {
    const TAKES: &'static str = "a duration like `90s`";

    fn read(value: &Value) -> Option<Self> {
        duration(value.as_str()?)
    }
}

impl Settable for Duration {
    const TAKES: &'static str = SignedDuration::TAKES;

    fn read(value: &Value) -> Option<Self> {
        SignedDuration::read(value)?.try_into().ok()
    }
}

impl Settable for usize {
    const TAKES: &'static str = "a whole number";

    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl Settable for u64 {
    const TAKES: &'static str = usize::TAKES;

    /// Written as a text too: JSON of other makers loses digits of large numbers.
    fn read(value: &Value) -> Option<Self> {
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }
}

impl Settable for char {
    const TAKES: &'static str = "one letter";

    fn read(value: &Value) -> Option<Self> {
        let mut letters = value.as_str()?.chars();
        letters.next().filter(|_| letters.next().is_none())
    }
}

impl Settable for String {
    const TAKES: &'static str = "a text: quote it";

    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Settable for Vec<String> {
    const TAKES: &'static str = "a list of texts";

    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(String::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Settings {
        skew: SignedDuration,
        patience: Duration,
        keeps: bool,
        most: usize,
        id: u64,
        zone: char,
        name: String,
        scopes: Vec<String>,
    }

    impl Named for Settings {
        const KNOWN: &[Setting<Self>] = settable!(Settings { skew, patience, keeps, most, id, zone, name, scopes });
    }

    #[rstest]
    #[case("skew", json!("1m30s"), |is: &Settings| is.skew.as_secs() == 90)]
    #[case("patience", json!("250ms"), |is: &Settings| is.patience.as_millis() == 250)]
    #[case("keeps", json!(true), |is: &Settings| is.keeps)]
    #[case("most", json!(7), |is: &Settings| is.most == 7)]
    #[case("id", json!("4520031799277581759"), |is: &Settings| is.id == 4_520_031_799_277_581_759)]
    #[case("zone", json!("b"), |is: &Settings| is.zone == 'b')]
    #[case("name", json!("x"), |is: &Settings| is.name == "x")]
    #[case("scopes", json!(["a", "b"]), |is: &Settings| is.scopes == ["a", "b"])]
    fn a_setting_takes_a_value_of_its_kind(
        #[case] name: &str,
        #[case] value: Value,
        #[case] is: fn(&Settings) -> bool,
    ) {
        let mut settings = Settings::default();
        settings.set(name, &value).unwrap();
        assert!(is(&settings), "{settings:?}");
    }

    #[rstest]
    #[case("skew", json!(60), "it is a duration like `90s`")]
    #[case("patience", json!("soon"), "it is a duration like `90s`")]
    #[case("keeps", json!("true"), "it is `true` or `false`")]
    #[case("most", json!(-1), "it is a whole number")]
    #[case("zone", json!("ab"), "it is one letter")]
    #[case("name", json!(7), "it is a text: quote it")]
    #[case("scopes", json!(["a", 7]), "it is a list of texts")]
    #[case("scope", json!([]), "it is no setting: did you mean `scopes`?")]
    #[case("clock_offset", json!(1), "it is no setting: known are `skew`, `patience`, `keeps`, `most`, `id`, `zone`, `name`, `scopes`")]
    fn a_wrong_setting_is_told_and_changes_nothing(#[case] name: &str, #[case] value: Value, #[case] told: &str) {
        let mut settings = Settings::default();
        assert_eq!(settings.set(name, &value).unwrap_err().to_string(), told);
        assert_eq!(settings, Settings::default());
    }
}
