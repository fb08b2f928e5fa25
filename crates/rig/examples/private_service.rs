//! Who gets into a private Cloud Run service: the account that was granted, with a token made for this service, within an
//! hour. Run it: `cargo run -p tokenrig --example private_service`.

#![expect(clippy::disallowed_macros, reason = "an example prints what it shows")]

use tokenrig::{Rig, time::minutes};

const GIVEN: &str = r#"
iam.serviceAccounts: { caller: {}, stranger: {} }
run.services:
  orders:
    iamPolicy: { bindings: [{ role: roles/run.invoker, members: ["serviceAccount:${caller.email}"] }] }
"#;

#[tokio::main]
pub(crate) async fn main() {
    let rig = Rig::builder().given(GIVEN).start().await;
    let uri = rig.uri("orders");
    let good = rig.id_token("caller").audience(&uri).mint().await;
    let stranger = rig.id_token("stranger").audience(&uri).mint().await;
    let elsewhere = rig.id_token("caller").audience("https://billing.example.com").mint().await;
    for (who, token, status) in
        [("the caller", &good, 200), ("a stranger", &stranger, 403), ("a token for another service", &elsewhere, 401)]
    {
        let answer = rig.http_client().get(&uri).bearer_auth(token).send().await.expect("the rig answers");
        println!("{who}: {}\n{}\n", answer.status(), rig.last_decision().await);
        assert_eq!(answer.status(), status);
    }
    rig.clock().advance(minutes(61)).await;
    let answer = rig.http_client().get(&uri).bearer_auth(&good).send().await.expect("the rig answers");
    println!("the caller, an hour later: {}\n{}", answer.status(), rig.last_decision().await);
    assert_eq!(answer.status(), 401);
}
