//! Which names a leaf certificate carries.

use std::net::IpAddr;

/// The names of the leaf that is shown when a hello has no server name, and for each of these names: made once, it
/// serves nearly every request.
///
/// Source: the hosts that official clients were seen to reach.
pub(crate) const COMMON: &[&str] = &[
    "*.googleapis.com",
    "googleapis.com",
    "*.mtls.googleapis.com",
    "*.storage.googleapis.com",
    "*.rep.googleapis.com",
    "www.gstatic.com",
    "accounts.google.com",
    "auth.cloud.google",
    "metadata.google.internal",
    "localhost",
    "127.0.0.1",
    "::1",
    "169.254.169.254",
];

/// Hosts right under one of these share a leaf with a wildcard.
const SHARED_BELOW: &[&str] = &["a.run.app", "cloudfunctions.net"];

/// Names of the leaf for one host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LeafName {
    /// [`COMMON`].
    Common,
    /// One name, perhaps with a wildcard.
    One(String),
}

impl LeafName {
    /// The leaf that serves `host` (lower case, without port): the fewer leaves, the fewer signatures.
    pub(crate) fn serving(host: &str) -> Self {
        if COMMON.iter().any(|name| covers(name, host)) {
            return Self::Common;
        }
        match host.split_once('.') {
            Some((_, parent)) if is_shared(parent) => Self::One(format!("*.{parent}")),
            _ => Self::One(host.to_owned()),
        }
    }
}

/// Whether all hosts right under `parent` share one leaf: also those of each Cloud Run region, `*.REGION.run.app`.
fn is_shared(parent: &str) -> bool {
    SHARED_BELOW.contains(&parent)
        || parent.strip_suffix(".run.app").is_some_and(|region| !region.is_empty() && !region.contains('.'))
}

/// The certificate matching of RFC 9525 section 6.3: a wildcard is one whole label.
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => {
            host.parse::<IpAddr>().is_err()
                && host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
        }
        None => name == host,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("iamcredentials.googleapis.com", None)]
    #[case("us-central1-run.googleapis.com", None)]
    #[case("sts.mtls.googleapis.com", None)]
    #[case("bucket.storage.googleapis.com", None)]
    #[case("127.0.0.1", None)]
    #[case("my.bucket.storage.googleapis.com", Some("my.bucket.storage.googleapis.com"))]
    #[case("orders-1071284184436.europe-west4.run.app", Some("*.europe-west4.run.app"))]
    #[case("orders-abcdefghij-ew.a.run.app", Some("*.a.run.app"))]
    #[case("tag---x.b.europe-west4.run.app", Some("tag---x.b.europe-west4.run.app"))]
    #[case("europe-west4-shop.cloudfunctions.net", Some("*.cloudfunctions.net"))]
    #[case("login.corp.example", Some("login.corp.example"))]
    #[case("run.app", Some("run.app"))]
    fn each_host_has_one_leaf(#[case] host: &str, #[case] own: Option<&str>) {
        let expected = own.map_or(LeafName::Common, |name| LeafName::One(name.to_owned()));
        assert_eq!(LeafName::serving(host), expected);
    }
}
