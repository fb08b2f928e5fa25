//! A real provider behind an issuer. Here it is one of our own, at a port of this machine, that knows nothing of the rig.

use std::sync::Arc;

use tokenrig_clock::ManualClock;
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_idp::{IssuerSpec, Issuers, router};
use tokio::net::TcpListener;

use crate::support::passes;

#[tokio::test]
async fn a_token_that_a_real_provider_signed_is_exchanged() {
    let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
    let issuers = Issuers::new(Arc::clone(&clock) as _, "of its own");
    let issuer = Some("https://login.corp.example/realms/corp".to_owned());
    issuers.add(IssuerSpec { issuer, ..IssuerSpec::new("keycloak") }).unwrap();
    let provider = router(&issuers, &Cloud::new(Foundation::on(clock)), "keycloak");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, provider).await });

    let text = r#"
scenario: A real provider's token is exchanged
worlds: [offline]
given:
  issuers:
    corp: { issuer: "https://login.corp.example/realms/corp", upstream: "http://127.0.0.1:PORT/realms/corp" }
  iam.workloadIdentityPools:
    partners:
      providers:
        keycloak:
          oidc: { issuerUri: "${corp.issuer}", allowedAudiences: [us] }
          attributeMapping: { google.subject: assertion.sub }
steps:
  - step: The provider signs, at its own path on the issuer's host
    http: POST ${corp.issuer}/token
    json: { iss: "${corp.issuer}", sub: alice, aud: us, iat: "${int(now)}", exp: "${int(now) + 300}" }
    expect: { status: 200 }
    save: { subject_token: text }
  - step: Google's STS finds the provider's keys where its discovery document says
    exchange: ${subject_token}
    at: ${keycloak.name}
    expect: { status: 200 }
"#;
    passes(&text.replace("PORT", &port.to_string())).await;
}
