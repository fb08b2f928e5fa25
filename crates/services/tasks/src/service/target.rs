//! Where a task goes, when its queue has a say in it.

use tokenrig_protos::google::cloud::tasks::v2::{
    AppEngineRouting, UriOverride,
    uri_override::{Scheme, UriOverrideEnforceMode},
};

/// A URL in the parts that a queue can change; the fragment is none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The URL that a queue makes of a task's. An empty one is all the queue's; then the queue must name a host.
pub(super) fn overridden(url: &str, told: &UriOverride) -> String {
    let own = split(url);
    let mode = UriOverrideEnforceMode::try_from(told.uri_override_enforce_mode).unwrap_or_default();
    let always = mode != UriOverrideEnforceMode::IfNotExists;
    let scheme = told.scheme.map(|scheme| match Scheme::try_from(scheme) {
        Ok(Scheme::Http) => "http",
        _ => "https",
    });
    let scheme = chosen(scheme, own.scheme, always, own.scheme.is_empty());
    let scheme = if scheme.is_empty() { "https" } else { scheme };
    let host = chosen(told.host.as_deref(), own.host, always, own.host.is_empty());
    // 0 clears the port.
    let wanted = told.port.map(|port| if port > 0 { port.to_string() } else { String::new() });
    let own_port = own.port.unwrap_or_default();
    let port = chosen(wanted.as_deref(), own_port, always, own_port.is_empty());
    let path = told.path_override.as_ref().map(|path| path.path.as_str());
    let path = chosen(path, own.path, always, matches!(own.path, "" | "/"));
    let query = told.query_override.as_ref().map(|query| query.query_params.as_str());
    let own_query = own.query.unwrap_or_default();
    let query = chosen(query, own_query, always, own_query.is_empty());
    let mut made = format!("{scheme}://{host}");
    if !port.is_empty() {
        made.push(':');
        made.push_str(port);
    }
    if !path.is_empty() && !path.starts_with('/') {
        made.push('/');
    }
    made.push_str(path);
    if !query.is_empty() {
        made.push('?');
        made.push_str(query);
    }
    made
}

/// The queue's part if it has one and it counts, else the task's.
fn chosen<'a>(wanted: Option<&'a str>, own: &'a str, always: bool, none: bool) -> &'a str {
    match wanted {
        Some(wanted) if always || none => wanted,
        _ => own,
    }
}

fn split(url: &str) -> Parts<'_> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    Parts { scheme, host, port, path, query }
}

/// The host of an App Engine application, or of a part of it.
pub(super) fn app_engine_host(routing: &AppEngineRouting, project: &str, joint: &str) -> String {
    let mut host = String::new();
    for part in [&routing.instance, &routing.version, &routing.service] {
        if !part.is_empty() {
            host.push_str(part);
            host.push_str(joint);
        }
    }
    host + project + ".appspot.com"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokenrig_protos::google::cloud::tasks::v2::{PathOverride, QueryOverride};

    use super::*;

    fn told(always: bool) -> UriOverride {
        let mode = if always { UriOverrideEnforceMode::Always } else { UriOverrideEnforceMode::IfNotExists };
        UriOverride {
            scheme: Some(Scheme::Https.into()),
            host: Some("b.example".into()),
            port: Some(8443),
            path_override: Some(PathOverride { path: "/p".into() }),
            query_override: Some(QueryOverride { query_params: "q=1".into() }),
            uri_override_enforce_mode: mode.into(),
        }
    }

    #[rstest]
    #[case::always("http://a.example:80/x/y?z=1#f", true, "https://b.example:8443/p?q=1")]
    #[case::only_what_is_missing("http://a.example/x/y?z=1", false, "http://a.example:8443/x/y?z=1")]
    #[case::nothing_of_its_own("http://a.example/", false, "http://a.example:8443/p?q=1")]
    #[case::no_url_at_all("", false, "https://b.example:8443/p?q=1")]
    fn a_queue_changes_the_url_of_its_tasks(#[case] url: &str, #[case] always: bool, #[case] made: &str) {
        assert_eq!(overridden(url, &told(always)), made);
    }

    #[test]
    fn a_part_that_is_told_empty_is_cleared() {
        let told = UriOverride {
            port: Some(0),
            path_override: Some(PathOverride::default()),
            query_override: Some(QueryOverride::default()),
            ..UriOverride::default()
        };
        assert_eq!(overridden("http://a.example:8080/x?z=1", &told), "http://a.example");
        let nothing = UriOverride::default();
        assert_eq!(overridden("http://a.example:8080/x?z=1", &nothing), "http://a.example:8080/x?z=1");
    }

    #[rstest]
    #[case("", "", "shop.appspot.com")]
    #[case("", "orders", "orders-dot-shop.appspot.com")]
    #[case("v1", "orders", "v1-dot-orders-dot-shop.appspot.com")]
    fn a_part_of_an_application_has_a_host(#[case] version: &str, #[case] service: &str, #[case] host: &str) {
        let routing =
            AppEngineRouting { version: version.into(), service: service.into(), ..AppEngineRouting::default() };
        assert_eq!(app_engine_host(&routing, "shop", "-dot-"), host);
    }
}
