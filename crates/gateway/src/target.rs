//! Which host a request is for, and the one form in which handlers see requests.

use http::{
    HeaderMap, HeaderValue, Uri, Version,
    header::{self, HeaderName},
    request::Parts,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::Peer;

const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Where a request is to go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// In lower case, without port, brackets and final dot.
    pub(crate) host: String,
    /// Whether the peer takes us for its proxy.
    pub(crate) proxied: bool,
}

/// Why a request is for no host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetFault {
    #[error("the request names no host")]
    NoHost,
    #[error("the request names more than one host")]
    ManyHosts,
    #[error("the request's host is no host name")]
    BadHost,
    #[error("the request's target cannot be used")]
    BadTarget,
}

/// Finds the host of a request and brings the request into one form, whatever way it came by: an absolute URI whose
/// scheme says whether TLS was there, one `host` header, the path and query byte for byte.
pub(crate) fn resolve(parts: &mut Parts, peer: &Peer) -> Result<Target, TargetFault> {
    let scheme = if peer.tls { Scheme::HTTPS } else { Scheme::HTTP };
    let in_target = parts.uri.authority().cloned();
    let proxied = parts.version < Version::HTTP_2 && in_target.is_some();
    let authority = match in_target {
        // It stands above the header (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1).
        Some(authority) => authority,
        None => match host_header(&parts.headers)? {
            Some(authority) => authority,
            None => of_connection(peer, &scheme).ok_or(TargetFault::NoHost)?,
        },
    };
    let host = host_of(&authority)?;
    let value = HeaderValue::from_str(authority.as_str()).map_err(|_| TargetFault::BadHost)?;
    parts.headers.insert(header::HOST, value);
    if proxied {
        parts.headers.remove(PROXY_CONNECTION);
        parts.headers.remove(header::PROXY_AUTHORIZATION);
    }
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(scheme);
    uri.authority = Some(authority);
    uri.path_and_query = Some(parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.uri = Uri::from_parts(uri).map_err(|_| TargetFault::BadTarget)?;
    Ok(Target { host, proxied })
}

/// The host and the authority that a CONNECT request asks for.
pub(crate) fn of_connect(uri: &Uri) -> Result<(String, Authority), TargetFault> {
    let authority = uri.authority().ok_or(TargetFault::NoHost)?;
    Ok((host_of(authority)?, authority.clone()))
}

fn host_header(headers: &HeaderMap) -> Result<Option<Authority>, TargetFault> {
    let mut values = headers.get_all(header::HOST).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TargetFault::ManyHosts);
    }
    if value.is_empty() {
        return Ok(None);
    }
    Authority::try_from(value.as_bytes()).map(Some).map_err(|_| TargetFault::BadHost)
}

/// HTTP/1.0 clients may leave out the host where the connection says it.
fn of_connection(peer: &Peer, scheme: &Scheme) -> Option<Authority> {
    let tunnel = peer.via_connect.as_deref().map(|to| {
        let default = if *scheme == Scheme::HTTPS { ":443" } else { ":80" };
        to.strip_suffix(default).unwrap_or(to)
    });
    Authority::try_from(tunnel.or(peer.sni.as_deref())?).ok()
}

fn host_of(authority: &Authority) -> Result<String, TargetFault> {
    if authority.as_str().contains('@') {
        return Err(TargetFault::BadHost);
    }
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() {
        return Err(TargetFault::NoHost);
    }
    Ok(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;
    use rstest::rstest;

    use super::*;

    fn peer(tls: bool, sni: Option<&str>, via_connect: Option<&str>) -> Peer {
        Peer {
            addr: "127.0.0.1:1".parse().unwrap(),
            tls,
            sni: sni.map(Arc::from),
            via_connect: via_connect.map(Arc::from),
        }
    }

    fn parts(uri: &str, hosts: &[&str]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[rstest]
    #[case::origin_form("/v1/token?a=%40", &["sts.googleapis.com"], "http://sts.googleapis.com/v1/token?a=%40")]
    #[case::port_kept("/", &["STS.googleapis.com:8443"], "http://STS.googleapis.com:8443/")]
    #[case::absolute_form("http://a.example/x", &["b.example"], "http://a.example/x")]
    #[case::doubled_slashes("//x/../y", &["a.example"], "http://a.example//x/../y")]
    fn every_request_gets_one_form(#[case] uri: &str, #[case] hosts: &[&str], #[case] expected: &str) {
        let mut parts = parts(uri, hosts);
        resolve(&mut parts, &peer(false, None, None)).unwrap();
        assert_eq!(parts.uri.to_string(), expected);
        let host: Vec<_> = parts.headers.get_all(header::HOST).iter().collect();
        assert_eq!(host, [parts.uri.authority().unwrap().as_str()]);
    }

    #[rstest]
    #[case("sts.googleapis.com", "sts.googleapis.com")]
    #[case("STS.GoogleAPIs.com.", "sts.googleapis.com")]
    #[case("sts.googleapis.com:443", "sts.googleapis.com")]
    #[case("[::1]:8080", "::1")]
    fn the_host_is_told_without_port_case_and_final_dot(#[case] header: &str, #[case] host: &str) {
        let target = resolve(&mut parts("/", &[header]), &peer(false, None, None)).unwrap();
        assert_eq!(target, Target { host: host.to_owned(), proxied: false });
    }

    #[rstest]
    #[case::none(&[], TargetFault::NoHost)]
    #[case::empty(&[""], TargetFault::NoHost)]
    #[case::only_a_port(&[":80"], TargetFault::NoHost)]
    #[case::two(&["a.example", "b.example"], TargetFault::ManyHosts)]
    #[case::user(&["me@a.example"], TargetFault::BadHost)]
    #[case::path(&["a.example/b"], TargetFault::BadHost)]
    fn a_request_without_one_good_host_is_at_fault(#[case] hosts: &[&str], #[case] fault: TargetFault) {
        assert_eq!(resolve(&mut parts("/", hosts), &peer(false, None, None)), Err(fault));
    }

    #[rstest]
    #[case::tunnel(peer(true, Some("a.example"), Some("b.example:443")), "https://b.example/")]
    #[case::tunnel_to_a_port(peer(true, None, Some("b.example:8443")), "https://b.example:8443/")]
    #[case::clear_tunnel(peer(false, None, Some("169.254.169.254:80")), "http://169.254.169.254/")]
    #[case::server_name(peer(true, Some("a.example"), None), "https://a.example/")]
    fn a_missing_host_is_taken_from_the_connection(#[case] peer: Peer, #[case] expected: &str) {
        let mut parts = parts("/", &[]);
        resolve(&mut parts, &peer).unwrap();
        assert_eq!(parts.uri.to_string(), expected);
    }

    #[test]
    fn what_is_meant_for_a_proxy_goes_no_further() {
        let mut parts = parts("http://a.example/", &[]);
        parts.headers.insert(header::PROXY_AUTHORIZATION, HeaderValue::from_static("Basic x"));
        parts.headers.insert(PROXY_CONNECTION, HeaderValue::from_static("close"));
        let target = resolve(&mut parts, &peer(false, None, None)).unwrap();
        assert!(target.proxied);
        assert_eq!(parts.headers.keys().collect::<Vec<_>>(), [header::HOST]);
    }
}
