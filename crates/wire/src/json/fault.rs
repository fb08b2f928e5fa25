//! What is wrong with the fields of a request, in Google's words.

use tokenrig_decision::Refused;

use crate::refusals;

/// No more faults than this are told at once.
const MAX_FAULTS: usize = 50;

/// A value is quoted up to this many bytes.
const MAX_QUOTED: usize = 1024;

/// One fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// A key that the message does not have.
    UnknownField { name: String, at: String },
    /// A list where one value is expected.
    NotRepeated { name: String, at: String },
    /// A value that is not of its type. `value` is JSON, or what is wrong.
    Value { field: String, kind: String, value: String, is_enum: bool },
    /// A query parameter that the message does not have.
    UnknownParameter { name: String, part: String },
}

/// All faults of a request.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Fault {
    /// The field that the violation names.
    fn field(&self) -> &str {
        match self {
            Self::UnknownField { at, .. } | Self::NotRepeated { at, .. } => at,
            Self::Value { field, .. } => field,
            Self::UnknownParameter { .. } => "",
        }
    }

    fn text(&self) -> String {
        let place = |at: &str| if at.is_empty() { String::new() } else { format!(" at '{at}'") };
        match self {
            Self::UnknownField { name, at } => {
                format!("Invalid JSON payload received. Unknown name \"{name}\"{}: Cannot find field.", place(at))
            }
            Self::NotRepeated { name, at } => format!(
                "Invalid JSON payload received. Unknown name \"{name}\"{}: Proto field is not repeating, cannot start list.",
                place(at)
            ),
            Self::Value { field, kind, value, .. } => format!("Invalid value at '{field}' ({kind}), {value}"),
            Self::UnknownParameter { name, part } => format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{part}' could not be found in request message."
            ),
        }
    }
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(fault);
        }
    }

    /// What the decision shows: places, no values.
    pub(crate) fn places(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|fault| match fault {
                Fault::UnknownField { name, at } | Fault::NotRepeated { name, at } if at.is_empty() => name.clone(),
                Fault::UnknownField { name, at } | Fault::NotRepeated { name, at } => format!("{at}.{name}"),
                Fault::Value { field, .. } => field.clone(),
                Fault::UnknownParameter { name, .. } => name.clone(),
            })
            .collect()
    }

    /// The answer: all faults of the first one's kind.
    pub(crate) fn refused(&self) -> Option<Refused> {
        let first = self.0.first()?;
        let same = |fault: &&Fault| std::mem::discriminant(*fault) == std::mem::discriminant(first);
        let alike: Vec<&Fault> = self.0.iter().filter(same).collect();
        let lines: Vec<String> = alike.iter().map(|fault| fault.text()).collect();
        let violations: Vec<String> =
            alike.iter().map(|fault| format!("{}\t{}", fault.field(), fault.text())).collect();
        let whole = lines.join("\n");
        // The form's last argument takes what the other faults add: the message between its fixed start and end.
        let refused = match first {
            Fault::UnknownField { name, .. } => refusals::UNKNOWN_JSON_FIELD
                .refuse("api-unknown-json-field")
                .with("at", middle(&whole, name, ": Cannot find field."))
                .with("name", name),
            Fault::NotRepeated { name, .. } => refusals::FIELD_NOT_REPEATED
                .refuse("api-field-not-repeated")
                .with("at", middle(&whole, name, ": Proto field is not repeating, cannot start list."))
                .with("name", name),
            Fault::Value { field, kind, is_enum, .. } => {
                let start = format!("Invalid value at '{field}' ({kind}), ");
                refusals::VALUE_INVALID
                    .refuse(if *is_enum { "api-enum-invalid" } else { "api-value-invalid" })
                    .with("value", whole.strip_prefix(&start).unwrap_or_default())
                    .with("field", field)
                    .with("type", kind)
            }
            Fault::UnknownParameter { name, .. } => {
                let start = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '"
                );
                let rest = whole.strip_prefix(&start).unwrap_or_default();
                refusals::UNKNOWN_QUERY_PARAMETER
                    .refuse("api-unknown-query-parameter")
                    .with("what", rest.strip_suffix("' could not be found in request message.").unwrap_or(rest))
                    .with("name", name)
            }
        };
        Some(refused.with("violations", violations.join("\n")))
    }
}

fn middle(whole: &str, name: &str, end: &str) -> String {
    let start = format!("Invalid JSON payload received. Unknown name \"{name}\"");
    let rest = whole.strip_prefix(&start).unwrap_or_default();
    rest.strip_suffix(end).unwrap_or(rest).to_owned()
}

/// Text from outside as it may stand in a message: one line, bounded.
pub(crate) fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(MAX_QUOTED));
    for c in text.chars() {
        if safe.len() >= MAX_QUOTED {
            safe.push('…');
            break;
        }
        if c.is_control() { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}
