//! The parts of a given document that are about people: `users` and `oauth2.clients`.

use crate::{
    diagnostic::Diagnostic,
    given::{MAX_GIVEN, UNKNOWN_KEY, empty_for_null},
    model::Given,
    reader::{Reader, did_you_mean},
    template::{Key, Template},
    words::{self, GCLOUD, REFRESH_STATES},
    yaml::shorten,
};

/// Reads `users`.
pub(crate) fn users(reader: &mut Reader<'_>, given: &mut Given, value: &Template) {
    for (email, value) in reader.entries(value, "`users`").unwrap_or_default().iter().take(MAX_GIVEN) {
        if !email.text.contains('@') {
            reader.push(Diagnostic::error("given::not-an-email", email.span, "a user is given by an e-mail address"));
        }
        for (key, value) in reader.entries(value, "a user").unwrap_or_default() {
            if reader.known(key, words::USER, UNKNOWN_KEY, "a user") {
                refresh_tokens(reader, value);
            }
        }
        given.users.push((email.clone(), empty_for_null(value)));
    }
}

fn refresh_tokens(reader: &mut Reader<'_>, value: &Template) {
    for (token, value) in reader.entries(value, "`refreshTokens`").unwrap_or_default().iter().take(MAX_GIVEN) {
        if !token.text.starts_with("1//") {
            let fault =
                Diagnostic::error("given::refresh-token", token.span, "a refresh token of Google's begins with `1//`");
            reader.push(fault.help("any other is refused as malformed, given or not"));
        }
        let entries = reader.entries(value, "a refresh token").unwrap_or_default();
        for (key, value) in entries {
            if !reader.known(key, words::REFRESH_TOKEN, UNKNOWN_KEY, "a refresh token") {
                continue;
            }
            if &*key.text == "client" {
                reader.text(value, "`client`");
            } else if let Some(word) = reader.word(value, "`state`")
                && !REFRESH_STATES.contains(&&*word.text)
            {
                let fault = format!("`{}` is no state of a refresh token", shorten(&word.text));
                let fault = Diagnostic::error("given::unknown-word", word.span, fault);
                reader.push(did_you_mean(fault, &word, REFRESH_STATES));
            }
        }
        if !entries.iter().any(|(key, _)| &*key.text == "client") {
            let fault = Diagnostic::error("given::missing-key", token.span, "a refresh token needs `client`");
            reader.push(fault.help("the id of one of `oauth2.clients`, or `gcloud`"));
        }
    }
}

/// Reads `oauth2.clients`.
pub(crate) fn clients(reader: &mut Reader<'_>, given: &mut Given, value: &Template) {
    for (id, value) in reader.entries(value, "`oauth2.clients`").unwrap_or_default().iter().take(MAX_GIVEN) {
        if &*id.text == GCLOUD {
            let fault = "`gcloud` is gcloud's own client, which is always known";
            reader.push(Diagnostic::error("given::twice", id.span, fault).help("give another client another id"));
        }
        let entries = reader.entries(value, "an OAuth client").unwrap_or_default();
        for (key, value) in entries {
            if reader.known(key, words::CLIENT, UNKNOWN_KEY, "an OAuth client") {
                reader.text(value, &format!("`{}`", key.text));
            }
        }
        for word in words::CLIENT {
            if !entries.iter().any(|(key, _)| &*key.text == word.name) {
                let fault = format!("an OAuth client needs `{}`", word.name);
                reader.push(Diagnostic::error("given::missing-key", id.span, fault));
            }
        }
        given.clients.push((id.clone(), value.clone()));
    }
}

/// The client of a refresh token is a given one, gcloud's, or named by its whole `clientId`.
pub(crate) fn known_clients(reader: &mut Reader<'_>, given: &Given) {
    let known: Vec<&str> =
        given.clients.iter().map(|(id, _)| &*id.text).filter(|id| *id != GCLOUD).chain([GCLOUD]).collect();
    let tokens = given.users.iter().filter_map(|(_, user)| user.get("refreshTokens")?.entries()).flatten();
    for client in tokens.filter_map(|(_, token)| token.get("client")) {
        let Some(text) = client.text() else { continue };
        if !known.contains(&text) && !text.ends_with(".apps.googleusercontent.com") {
            let key = Key { text: text.into(), span: client.span };
            let fault = format!("`{}` is no given OAuth client", shorten(text));
            reader.push(did_you_mean(Diagnostic::error("given::unknown-client", client.span, fault), &key, &known));
        }
    }
}
