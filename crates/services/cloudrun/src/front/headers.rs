//! Headers on their way: what the front end reads, adds, and takes away.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, SocketAddr},
};

use axum::extract::ConnectInfo;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, FORWARDED},
    request::Parts,
};

use crate::service::door::Credential;

/// Counts before `Authorization`, which then passes untouched.
pub(super) const SERVERLESS: HeaderName = HeaderName::from_static("x-serverless-authorization");
/// What stands where the signature was.
pub(crate) const REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CLOUD_TRACE: HeaderName = HeaderName::from_static("x-cloud-trace-context");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The credential header that counts, if there is one.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential> {
    let named = |name: &'static str, header: HeaderName| {
        let value = headers.get(header)?;
        Some(Credential { header: name, value: String::from_utf8_lossy(value.as_bytes()).into_owned() })
    };
    named("x-serverless-authorization", SERVERLESS).or_else(|| named("authorization", AUTHORIZATION))
}

/// The request as the workload sees it. `checked` is the credential that the door has looked at: its token loses the
/// signature. `trace` is 32 hex digits, `span` is not 0.
pub(crate) fn prepare(parts: &mut Parts, checked: Option<&Credential>, trace: &str, span: u64) {
    if let Some(credential) = checked {
        let header = if credential.header == "authorization" { AUTHORIZATION } else { SERVERLESS };
        if let Some(value) = stripped(credential).and_then(|value| HeaderValue::from_str(&value).ok()) {
            parts.headers.insert(header, value);
        }
    }
    let of_google: Vec<HeaderName> =
        parts.headers.keys().filter(|name| name.as_str().starts_with("x-google-")).cloned().collect();
    for name in of_google {
        parts.headers.remove(name);
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let peer = peer.unwrap_or(IpAddr::from([127, 0, 0, 1]));
    let mut line = String::with_capacity(80);
    for value in parts.headers.get_all(&FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()) {
        line.extend([value, ","]);
    }
    parts.headers.reserve(5);
    let mut put = |name: HeaderName, told: fmt::Arguments<'_>| {
        // Text is always taken.
        let _ = line.write_fmt(told);
        if let Ok(value) = HeaderValue::from_str(&line) {
            parts.headers.insert(name, value);
        }
        line.clear();
    };
    put(FORWARDED_FOR, format_args!("{peer}"));
    put(FORWARDED_PROTO, format_args!("https"));
    let (open, close) = if peer.is_ipv6() { ("[", "]") } else { ("", "") };
    put(FORWARDED, format_args!("for=\"{open}{peer}{close}\";proto=https"));
    put(CLOUD_TRACE, format_args!("{trace}/{span};o=1"));
    put(TRACEPARENT, format_args!("00-{trace}-{span:016x}-01"));
}

/// What code of a function of the first generation gets beside: the number of its execution, 12 characters.
pub(crate) fn of_function(headers: &mut HeaderMap, trace: &str) {
    if let Some(value) = trace.get(..12).and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(HeaderName::from_static("function-execution-id"), value);
    }
}

/// What the front end adds to every answer.
pub(crate) fn finish(headers: &mut HeaderMap, trace: &str) {
    headers.entry(http::header::SERVER).or_insert(HeaderValue::from_static("Google Frontend"));
    if let Ok(value) = HeaderValue::from_str(&format!("{trace};o=1")) {
        headers.insert(CLOUD_TRACE, value);
    }
}

/// The trace that the client has begun, if it says so in either form: 32 hex digits.
pub(crate) fn trace(headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let of_parent = || text(&TRACEPARENT).and_then(|value| value.strip_prefix("00-")?.split('-').next());
    let of_google = || text(&CLOUD_TRACE).and_then(|value| value.split(['/', ';']).next());
    let is_trace = |trace: &&str| {
        trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit()) && trace.bytes().any(|b| b != b'0')
    };
    of_parent().filter(is_trace).or_else(|| of_google().filter(is_trace)).map(str::to_ascii_lowercase)
}

/// The credential's value with the signature of its token replaced; `None` if it holds no JWT.
fn stripped(credential: &Credential) -> Option<String> {
    let token = credential.bearer()?;
    let (signed, _) = token.rsplit_once('.')?;
    signed.contains('.').then(|| {
        let scheme = credential.value.split(' ').next().unwrap_or("Bearer");
        format!("{scheme} {signed}.{REMOVED}")
    })
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::front::kept::Kept;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[rstest]
    #[case("Bearer e30.e30.sig", "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE")]
    #[case("bearer e30.e30.", "bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE")]
    #[case("Bearer ya29.opaque", "Bearer ya29.opaque")]
    #[case("Basic dTpw", "Basic dTpw")]
    fn a_checked_token_loses_its_signature_and_nothing_else_changes(#[case] sent: &str, #[case] seen: &str) {
        let mut parts = parts(&[("authorization", sent)]);
        let checked = credential(&parts.headers);
        prepare(&mut parts, checked.as_ref(), TRACE, 1);
        assert_eq!(parts.headers[AUTHORIZATION], seen);
    }

    #[test]
    fn a_token_that_nobody_checked_passes_whole() {
        let mut parts = parts(&[("authorization", "Bearer e30.e30.sig")]);
        prepare(&mut parts, None, TRACE, 1);
        assert_eq!(parts.headers[AUTHORIZATION], "Bearer e30.e30.sig");
    }

    #[test]
    fn the_serverless_header_counts_and_authorization_passes_untouched() {
        let mut parts =
            parts(&[("authorization", "Bearer e30.e30.app"), ("x-serverless-authorization", "Bearer e30.e30.run")]);
        let checked = credential(&parts.headers).unwrap();
        assert_eq!(checked.bearer(), Some("e30.e30.run"));
        prepare(&mut parts, Some(&checked), TRACE, 1);
        assert_eq!(parts.headers[AUTHORIZATION], "Bearer e30.e30.app");
        assert_eq!(parts.headers[SERVERLESS], "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE");
    }

    #[test]
    fn the_front_end_says_who_called_and_keeps_the_users_headers() {
        let sent =
            [("user-agent", "curl/8"), ("x-mine", "1"), ("x-forwarded-for", "203.0.113.7"), ("x-google-internal", "1")];
        let mut parts = parts(&sent);
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 2], 5))));
        prepare(&mut parts, None, TRACE, 255);
        let seen: Vec<(&str, &str)> =
            parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            seen,
            [
                ("user-agent", "curl/8"),
                ("x-mine", "1"),
                ("x-forwarded-for", "203.0.113.7,127.0.0.2"),
                ("x-forwarded-proto", "https"),
                ("forwarded", "for=\"127.0.0.2\";proto=https"),
                ("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/255;o=1"),
                ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000ff-01"),
            ]
        );
    }

    #[rstest]
    #[case(&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], Some(TRACE))]
    #[case(&[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/1;o=1")], Some(TRACE))]
    #[case(&[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")], None)]
    #[case(&[("traceparent", "garbage"), ("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e473é")], None)]
    #[case(&[], None)]
    fn a_trace_that_the_client_began_goes_on(#[case] headers: &[(&str, &str)], #[case] found: Option<&str>) {
        assert_eq!(trace(&parts(headers).headers).as_deref(), found);
    }

    proptest! {
        #[test]
        fn no_header_makes_the_front_end_panic_and_no_credential_is_kept_whole(
            value in prop::collection::vec(prop_oneof![0x20u8..=0x7e, 0x80u8..=0xff], 0..80),
            serverless in any::<bool>(),
        ) {
            let mut parts = parts(&[]);
            let name = if serverless { SERVERLESS } else { AUTHORIZATION };
            parts.headers.insert(name, HeaderValue::from_bytes(&value).unwrap());
            parts.headers.insert(FORWARDED_FOR, HeaderValue::from_bytes(&value).unwrap());
            let checked = credential(&parts.headers);
            for (name, kept) in Kept::of(&parts.headers, None).told(None) {
                prop_assert!(name == "x-forwarded-for" || kept.ends_with('…') || kept.ends_with(REMOVED), "{kept}");
            }
            prepare(&mut parts, checked.as_ref(), TRACE, 1);
            trace(&parts.headers);
        }
    }
}
