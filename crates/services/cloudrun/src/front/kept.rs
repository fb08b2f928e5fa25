//! Headers of a request as they are kept: one piece of memory for all of them, taken apart when somebody looks.

use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderName},
};
use tokenrig_jose::peek;

use super::{
    headers::{REMOVED, SERVERLESS},
    redact::redact,
};
use crate::service::door::Shown;

/// Stands in a kept line for the token that the door has looked at. No header can hold this byte, nor the one that ends
/// a line (RFC 9110, section 5.5).
const TOKEN: char = '\0';
const END: u8 = b'\n';

/// The headers of one request. Of credentials nothing is kept that makes them good.
#[derive(Clone)]
pub(crate) struct Kept(Box<[u8]>);

impl Kept {
    /// Of headers as the workload sees them, or would have seen them. `token` is the one of the credential that counts,
    /// which is kept beside.
    pub(crate) fn of(headers: &HeaderMap, token: Option<&Shown>) -> Self {
        let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
        let mut lines = Vec::with_capacity(length);
        for (name, value) in headers {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            if is_credential(name) {
                lines.extend_from_slice(credential(&String::from_utf8_lossy(value.as_bytes()), token).as_bytes());
            } else {
                lines.extend_from_slice(value.as_bytes());
            }
            lines.push(END);
        }
        Self(lines.into_boxed_slice())
    }

    /// Names in lower case and values, in order; no token whole.
    pub(crate) fn told(&self, token: Option<&Shown>) -> Vec<(String, String)> {
        let lines = self.0.split(|byte| *byte == END).filter(|line| !line.is_empty());
        lines.map(|line| of_line(&String::from_utf8_lossy(line), token)).collect()
    }
}

fn is_credential(name: &HeaderName) -> bool {
    *name == AUTHORIZATION || *name == SERVERLESS
}

/// What is kept of a credential: its scheme, and the token if it is one that can be opened, without its signature.
fn credential(value: &str, token: Option<&Shown>) -> String {
    let (scheme, rest) = value.split_once(' ').unwrap_or_default();
    let signed = rest.trim().rsplit_once('.').map(|(signed, _)| signed);
    match (signed, token) {
        (Some(signed), Some(token)) if signed == token.signed() => format!("{scheme} {TOKEN}"),
        (Some(signed), _) if peek(&format!("{signed}.")).is_some() => format!("{scheme} {signed}.{REMOVED}"),
        _ => hidden(scheme),
    }
}

/// Whatever else is a credential is secret from its first character on.
fn hidden(scheme: &str) -> String {
    format!("{} …", scheme.chars().take(16).collect::<String>())
}

fn of_line(line: &str, token: Option<&Shown>) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let value = match value.strip_suffix(TOKEN) {
        // It only looks like a token if it cannot be opened.
        Some(scheme) => match token.filter(|token| token.open().is_some()) {
            Some(token) => format!("{scheme}{}.{REMOVED}", token.signed()),
            None => hidden(scheme.trim_end()),
        },
        None if name == AUTHORIZATION.as_str() || name == SERVERLESS.as_str() => value.to_owned(),
        None => redact(value),
    };
    (name.to_owned(), value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLXNvbWVib2R5";

    fn told(name: &HeaderName, value: &str) -> String {
        let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(value).unwrap())]);
        let token = value.split_once(' ').and_then(|(_, token)| Shown::of(token));
        let looked_at = Kept::of(&headers, token.as_ref()).told(token.as_ref());
        // It makes no difference whether the door has looked.
        assert_eq!(looked_at, Kept::of(&headers, None).told(None));
        looked_at[0].1.clone()
    }

    #[rstest]
    #[case(AUTHORIZATION, "Bearer e30.e30.c2ln", "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE")]
    #[case(SERVERLESS, "bearer e30.e30.", "bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE")]
    #[case(AUTHORIZATION, "Bearer a.b.c", "Bearer …")]
    #[case(AUTHORIZATION, "Bearer ya29.opaque", "Bearer …")]
    #[case(AUTHORIZATION, "secret", " …")]
    #[case(HeaderName::from_static("x-mine"), "a: b", "a: b")]
    #[case(HeaderName::from_static("cookie"), "t=eyJh.eyJz.c2ln", "t=eyJh.eyJz.…")]
    fn no_credential_is_kept_whole(#[case] name: HeaderName, #[case] sent: &str, #[case] kept: &str) {
        assert_eq!(told(&name, sent), kept);
    }

    #[test]
    fn order_and_repeated_headers_stay() {
        let mut headers = HeaderMap::new();
        for value in ["1", "2"] {
            headers.append("x-mine", HeaderValue::from_static(value));
        }
        headers.insert("accept", HeaderValue::from_bytes(b"\xff").unwrap());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            Kept::of(&headers, None).told(None),
            [pair("x-mine", "1"), pair("x-mine", "2"), pair("accept", "\u{fffd}")]
        );
    }

    proptest! {
        #[test]
        fn no_signature_is_kept_whatever_stands_around_it(before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let value = format!("{before}e30.e30.{SIGNATURE}{after}");
            prop_assert!(!told(&AUTHORIZATION, &value).contains(SIGNATURE));
        }
    }
}
