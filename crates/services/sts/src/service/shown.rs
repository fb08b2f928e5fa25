//! What came from outside, as decisions show it: whole as long as it is of a sane size, and no token whole.

use serde_json::Value;
use tokenrig_jose::{peek, shorten};

/// Bytes of a value that a decision keeps whole. Ten thousand decisions are kept, whoever made them.
const LARGEST: usize = 16 << 10;
/// Bytes that are shown of what is larger.
const START: usize = 1_000;

/// A field of the request. Somebody may have put the token into the wrong one.
pub(crate) fn field(text: Option<&str>) -> Value {
    match text {
        None => Value::Null,
        Some(text) if peek(text.trim()).is_some() => Value::String(shorten(text)),
        Some(text) => Value::String(self::text(text)),
    }
}

/// A text; of one that is too large, the start.
pub(crate) fn text(text: &str) -> String {
    if text.len() <= LARGEST {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(START);
    format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len())
}

/// A value; of one that is too large, the start of its JSON.
pub(crate) fn value(value: Value) -> Value {
    if size(&value) <= LARGEST { value } else { Value::String(text(&value.to_string())) }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 8 + size(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| 8 + name.len() + size(value)).sum(),
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenrig_jose::{pool, protected_header, sign};

    use super::*;

    #[test]
    fn what_is_of_a_sane_size_is_shown_whole_and_of_all_else_the_start() {
        let claims = json!({ "aud": ["a", "b"], "é": null });
        assert_eq!(value(claims.clone()), claims);
        let large = value(json!([claims, "é".repeat(LARGEST)]));
        let shown = large.as_str().unwrap();
        assert!(shown.starts_with(r#"[{"aud":["a","b"],"é":null},"éé"#) && shown.len() < START + 40, "{shown}");
    }

    #[test]
    fn a_token_in_the_wrong_field_is_not_shown_whole() {
        let key = pool::ec(0);
        let claims = json!({ "sub": "alice" });
        let token = sign(&protected_header(key.algorithm(), "k"), claims.as_object().unwrap(), key);
        assert_eq!(field(Some(&format!("{token}\n"))), json!(shorten(&format!("{token}\n"))));
        assert_eq!(field(Some("//iam.googleapis.com/x")), json!("//iam.googleapis.com/x"));
        assert_eq!(field(None), Value::Null);
    }
}
