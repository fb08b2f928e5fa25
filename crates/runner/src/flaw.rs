//! Tokens that are wrong on purpose: what each flaw does to a token that is about to be, or has been, signed.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokenrig_scenario::Flaw;

use crate::world::{MintKey, MintOrder};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// An oversized token is longer than every reader's limit: 80 KiB.
const OVERSIZED: usize = 60 << 10;

/// Changes what will be signed. What the step itself says about a claim is changed too: the flaw is the point.
pub(crate) fn before(flaw: Flaw, order: &mut MintOrder, now: Timestamp) {
    let claims = &mut order.claims;
    let mut set = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    match flaw {
        Flaw::WrongKey => order.key = MintKey::Foreign,
        Flaw::UnknownKid => _ = order.header.insert("kid".to_owned(), json!("no-such-key")),
        Flaw::NoKid => _ = order.header.insert("kid".to_owned(), Value::Null),
        Flaw::Expired => {
            set("iat", json!((now - HOUR * 2).as_second()));
            set("exp", json!((now - HOUR).as_second()));
        }
        Flaw::NotYetValid => {
            set("iat", json!((now + HOUR).as_second()));
            set("nbf", json!((now + HOUR).as_second()));
            set("exp", json!((now + HOUR * 2).as_second()));
        }
        Flaw::NoExp => _ = claims.shift_remove("exp"),
        Flaw::NoIat => _ = claims.shift_remove("iat"),
        Flaw::WrongIssuer => set("iss", json!("https://somebody-else.example")),
        Flaw::WrongAudience => set("aud", json!("https://somebody-else.example")),
        Flaw::NoSubject => _ = claims.shift_remove("sub"),
        Flaw::Oversized => set("padding", json!("x".repeat(OVERSIZED))),
        Flaw::AlgNone | Flaw::TamperedPayload | Flaw::Truncated => {}
    }
}

/// Changes what was signed.
pub(crate) fn after(flaw: Flaw, token: String) -> String {
    match flaw {
        Flaw::AlgNone => unsigned(&token).unwrap_or(token),
        Flaw::TamperedPayload => tampered(&token).unwrap_or(token),
        Flaw::Truncated => {
            let keep = token.len() - token.len().min(16);
            token.get(..keep).map(str::to_owned).unwrap_or(token)
        }
        _ => token,
    }
}

/// The same claims under `alg: none`, without a signature.
fn unsigned(token: &str) -> Option<String> {
    let opened = tokenrig_jose::peek(token)?;
    let mut header: Map<String, Value> = opened.header;
    header.insert("alg".to_owned(), json!("none"));
    Some(tokenrig_jose::forge::unsigned(&header, &opened.claims))
}

/// The same signature under another subject.
fn tampered(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let mut claims: Map<String, Value> = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.insert("tampered".to_owned(), json!(true));
    let payload = BASE64_URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string());
    Some(format!("{header}.{payload}.{signature}"))
}
