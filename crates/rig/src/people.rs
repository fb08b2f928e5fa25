//! From `users` and `oauth2.clients` of a given document to the people of a cloud.

use serde_json::{Map, Value, json};
use tokenrig_cloud::{Cloud, GCLOUD_CLIENT_ID, OAuthClient, RefreshState, Secret, UserFault};
use tokenrig_runner::Facts;

use crate::foundation::{FoundationFault, object, text};

/// `users` and `oauth2.clients` of a given document, as they stand there.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    pub(crate) users: Map<String, Value>,
    pub(crate) clients: Map<String, Value>,
}

/// Makes everybody known who is given.
pub(crate) fn enter(cloud: &Cloud, people: &People) -> Result<(), FoundationFault> {
    let users = cloud.users();
    for (name, fields) in &people.clients {
        let place = format!("oauth2.clients.{name}");
        let fields = object(Some(fields), &place)?;
        known(&fields, &["clientId", "clientSecret"], &place)?;
        let client_id = needed(&fields, "clientId", &place)?;
        let secret = Secret::new(needed(&fields, "clientSecret", &place)?);
        users.add_client(OAuthClient { name: name.clone(), client_id, secret }).map_err(|fault| at(&place, &fault))?;
    }
    for (email, fields) in &people.users {
        let place = format!("users.{email}");
        let fields = object(Some(fields), &place)?;
        known(&fields, &["refreshTokens"], &place)?;
        users.add(email).map_err(|fault| at(&place, &fault))?;
        for (token, fields) in object(fields.get("refreshTokens"), &format!("{place}.refreshTokens"))? {
            // The token itself is nothing to be shown.
            let place = format!("{place}.refreshTokens");
            let fields = object(Some(&fields), &place)?;
            known(&fields, &["client", "state"], &place)?;
            let client = needed(&fields, "client", &place)?;
            let state = match fields.get("state") {
                None => RefreshState::Active,
                Some(state) => state_of(&text(state, &place)?, &place)?,
            };
            users.add_refresh_token(&token, email, &client, state).map_err(|fault| at(&place, &fault))?;
        }
    }
    Ok(())
}

/// Tells who is known.
pub(crate) fn tell(cloud: &Cloud, facts: &mut Facts) {
    let fields = |value: Value| if let Value::Object(fields) = value { fields } else { Map::new() };
    for user in cloud.users().list() {
        facts.users.insert(user.email.clone(), fields(json!({ "email": user.email, "id": user.id })));
    }
    for client in cloud.users().clients().iter().filter(|client| client.client_id != GCLOUD_CLIENT_ID) {
        let told = json!({ "clientId": client.client_id, "clientSecret": client.secret.reveal() });
        facts.clients.insert(client.name.clone(), fields(told));
    }
}

fn at(place: &str, fault: &UserFault) -> FoundationFault {
    FoundationFault::new(format!("`{place}`: {fault}"))
}

fn state_of(name: &str, place: &str) -> Result<RefreshState, FoundationFault> {
    let known = RefreshState::ALL.iter().copied().find(|state| state.name() == name);
    known.ok_or_else(|| FoundationFault::new(format!("`{place}`: `{name}` is no state of a refresh token")))
}

fn needed(fields: &Map<String, Value>, name: &str, place: &str) -> Result<String, FoundationFault> {
    let value = fields.get(name).ok_or_else(|| FoundationFault::new(format!("`{place}` needs `{name}`")))?;
    text(value, &format!("{place}.{name}"))
}

fn known(fields: &Map<String, Value>, names: &[&str], place: &str) -> Result<(), FoundationFault> {
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(FoundationFault::new(format!("`{place}` has no `{name}`"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use tokenrig_clock::{ManualClock, Timestamp};
    use tokenrig_cloud::Foundation as CloudFoundation;
    use tokenrig_scenario::REFRESH_STATES;

    use super::*;

    fn cloud() -> Cloud {
        Cloud::new(CloudFoundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))))
    }

    fn given(users: Value) -> People {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let clients = map(json!({ "web": { "clientId": "1-web", "clientSecret": "s3cret" } }));
        People { users: map(users), clients }
    }

    #[test]
    fn who_is_given_is_known_and_told() {
        let cloud = cloud();
        let tokens = json!({ "1//a": { "client": "web" }, "1//b": { "client": "gcloud", "state": "reauth-due" } });
        enter(&cloud, &given(json!({ "alice@shop.example": { "refreshTokens": tokens }, "bob@shop.example": {} })))
            .unwrap();
        let state = |token: &str| cloud.users().refresh_token(token).map(|token| (token.client_id, token.state));
        assert_eq!(state("1//a"), Some(("1-web".to_owned(), RefreshState::Active)));
        assert_eq!(state("1//b"), Some((GCLOUD_CLIENT_ID.to_owned(), RefreshState::ReauthDue)));
        let mut facts = Facts::default();
        tell(&cloud, &mut facts);
        assert_eq!(facts.users.keys().collect::<Vec<_>>(), ["alice@shop.example", "bob@shop.example"]);
        assert_eq!(facts.users["alice@shop.example"]["id"].as_str().map(str::len), Some(21));
        assert_eq!(facts.clients["web"]["clientId"], "1-web");
    }

    #[rstest]
    #[case::an_unknown_client(json!({ "a@shop.example": { "refreshTokens": { "1//a": { "client": "app" } } } }), "no OAuth client `app`")]
    #[case::no_client(json!({ "a@shop.example": { "refreshTokens": { "1//a": {} } } }), "needs `client`")]
    #[case::an_unknown_state(json!({ "a@shop.example": { "refreshTokens": { "1//a": { "client": "web", "state": "gone" } } } }), "`gone`")]
    #[case::an_unknown_field(json!({ "a@shop.example": { "password": "x" } }), "no `password`")]
    #[case::a_service_account(json!({ "a@p.iam.gserviceaccount.com": {} }), "no e-mail address of a Google account")]
    fn a_wrong_person_is_told_by_the_place(#[case] users: Value, #[case] told: &str) {
        let fault = enter(&cloud(), &given(users)).unwrap_err().to_string();
        assert!(fault.contains(told) && fault.contains("users.a@") && !fault.contains("1//a"), "{fault}");
    }

    #[test]
    fn scenarios_know_every_state_of_a_refresh_token() {
        assert_eq!(REFRESH_STATES, RefreshState::ALL.iter().map(|state| state.name()).collect::<Vec<_>>());
    }
}
