//! People of a given document, through a rig and back.

use serde_json::json;
use tokenrig_offline::{Place, open};
use tokenrig_runner::Foundation;

#[tokio::test]
async fn the_state_of_a_rig_gives_the_same_people_to_the_next_one() {
    let object = |value: serde_json::Value| value.as_object().cloned().unwrap();
    let tokens =
        json!({ "1//a": { "client": "web", "state": "revoked" }, "1//b": { "client": "gcloud", "state": "active" } });
    let clients = json!({ "web": { "clientId": "1-web", "clientSecret": "s3cret" } });
    let users = json!({ "alice@shop.example": { "refreshTokens": tokens } });
    let issuers = json!({
        "corp": { "issuer": "https://corp.example", "misbehaves": "none", "alg": "ES256" },
        "real": { "issuer": "https://real.example/dex", "misbehaves": "none", "upstream": "http://127.0.0.1:5556/dex" },
    });
    let foundation = Foundation {
        users: object(users.clone()),
        clients: object(clients.clone()),
        issuers: object(issuers.clone()),
        ..Foundation::default()
    };
    let rig = open(&foundation, Place::Case).await.unwrap();
    let state = rig.core().state();
    assert_eq!((&state["users"], &state["oauth2.clients"], &state["issuers"]), (&users, &clients, &issuers));
    rig.stop().await;
}

#[tokio::test]
async fn a_person_who_cannot_be_is_a_fault_of_the_given_document() {
    let users = json!({ "alice": {} }).as_object().cloned().unwrap();
    let fault = open(&Foundation { users, ..Foundation::default() }, Place::Case).await.unwrap_err();
    assert_eq!(fault.to_string(), "`users.alice`: `alice` is no e-mail address of a Google account");
}
