//! Headers as expressions see them.

use tokenrig_cel::Value;

/// Lower-case name to text, repeated ones joined by `, `; `set-cookie` is a list, since its values hold commas.
pub(crate) fn headers(all: &[(String, String)]) -> Value {
    let mut seen: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, value) in all {
        let name = name.to_ascii_lowercase();
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => seen.push((name, vec![value])),
        }
    }
    Value::map(seen.into_iter().map(|(name, values)| {
        let value = match name.as_str() {
            "set-cookie" => Value::list(values.into_iter().map(Value::from)),
            _ => Value::from(values.join(", ")),
        };
        (name, value)
    }))
}
