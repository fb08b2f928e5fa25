//! Tokens and JSON: one spelling each, and what is read is what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokenrig_jose::{JsonLimits, Jws, numeric_date, parse_object, peek, shorten};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(token) = Jws::parse(text) {
        let again = format!(
            "{}.{}",
            std::str::from_utf8(token.signing_input()).expect("it was text"),
            text.rsplit('.').next().unwrap_or_default()
        );
        assert_eq!(again, text, "a token has one spelling");
        let _ = (token.algorithm(), token.kid(), token.payload());
        if let Ok(claims) = token.claims() {
            let _ = (numeric_date(claims, "iat"), numeric_date(claims, "exp"));
        }
    }
    if let Ok(object) = parse_object(bytes, JsonLimits::default()) {
        let written = serde_json::to_vec(&object).expect("an object can be written");
        let again = parse_object(&written, JsonLimits { bytes: usize::MAX, ..JsonLimits::default() });
        assert_eq!(again.expect("what was written can be read"), object);
    }
    let _ = (peek(text), shorten(text));
});
