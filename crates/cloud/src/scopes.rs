//! OAuth scopes.

/// Scopes that do not begin as the others do.
const ODD: &[&str] = &[
    "openid",
    "email",
    "profile",
    "https://mail.google.com/",
    "https://www.google.com/calendar/feeds",
    "https://www.google.com/m8/feeds",
];

/// Whether `text` is an OAuth scope of Google's: `https://www.googleapis.com/auth/NAME`, or one of the few others. Which
/// names there are is not looked up, so that a scope that is newer than the rig is one too.
///
/// Source: <https://developers.google.com/identity/protocols/oauth2/scopes>
#[must_use]
pub fn is_oauth_scope(text: &str) -> bool {
    let name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
    };
    ODD.contains(&text) || text.strip_prefix("https://www.googleapis.com/auth/").is_some_and(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_oauth_scope;

    #[rstest]
    #[case("https://www.googleapis.com/auth/cloud-platform", true)]
    #[case("https://www.googleapis.com/auth/devstorage.read_only", true)]
    #[case("openid", true)]
    #[case("", false)]
    #[case("cloud-platform", false)]
    #[case("https://www.googleapis.com/auth/", false)]
    #[case("https://www.googleapis.com/auth/a b", false)]
    #[case("https://orders-1071284184436.us-central1.run.app", false)]
    fn a_scope_is_told_from_any_other_url(#[case] text: &str, #[case] is: bool) {
        assert_eq!(is_oauth_scope(text), is);
    }
}
