//! The part of a given document that is Amazon's: `aws.accounts`.

use crate::{
    diagnostic::Diagnostic,
    given::{MAX_GIVEN, UNKNOWN_KEY, empty_for_null},
    model::Given,
    reader::Reader,
    template::Template,
    words::{AWS_ACCOUNT, AWS_PRINCIPAL},
};

/// Reads `aws.accounts`.
pub(crate) fn accounts(reader: &mut Reader<'_>, given: &mut Given, value: &Template) {
    for (id, value) in reader.entries(value, "`aws.accounts`").unwrap_or_default().iter().take(MAX_GIVEN) {
        if id.text.len() != 12 || !id.text.bytes().all(|digit| digit.is_ascii_digit()) {
            let fault = Diagnostic::error("given::aws-account", id.span, "an AWS account is given by its 12 digits");
            reader.push(fault.help("write them in quotes, for example \"123456789012\""));
        }
        for (key, value) in reader.entries(value, "an AWS account").unwrap_or_default() {
            if !reader.known(key, AWS_ACCOUNT, UNKNOWN_KEY, "an AWS account") {
                continue;
            }
            if &*key.text == "region" {
                reader.text(value, "`region`");
            } else {
                principals(reader, value, &key.text);
            }
        }
        given.aws.push((id.clone(), empty_for_null(value)));
    }
}

fn principals(reader: &mut Reader<'_>, value: &Template, of: &str) {
    let what = if of == "roles" { "a role of AWS" } else { "a user of AWS" };
    for (_, value) in reader.entries(value, &format!("`{of}`")).unwrap_or_default().iter().take(MAX_GIVEN) {
        for (key, value) in reader.entries(value, what).unwrap_or_default() {
            if !reader.known(key, AWS_PRINCIPAL, UNKNOWN_KEY, what) {
                continue;
            }
            if of == "users" && matches!(&*key.text, "sessionToken" | "roleSessionName") {
                let fault = format!("a user of AWS has no `{}`", key.text);
                let fault = Diagnostic::error(UNKNOWN_KEY, key.span, fault);
                reader.push(fault.help("who has a session has taken a role: write it under `roles`"));
            }
            reader.text(value, &format!("`{}`", key.text));
        }
    }
}

/// What `mint` calls the principals that are given: `ACCOUNT/ROLE`, `ACCOUNT/user/NAME`.
pub(crate) fn principal_names(given: &Given) -> Vec<String> {
    let mut names = Vec::new();
    for (account, value) in &given.aws {
        for (of, before) in [("roles", ""), ("users", "user/")] {
            let entries = value.get(of).and_then(Template::entries).unwrap_or_default();
            names.extend(entries.iter().map(|(name, _)| format!("{}/{before}{}", account.text, name.text)));
        }
    }
    names
}
