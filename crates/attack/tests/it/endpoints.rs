use std::net::Ipv4Addr;

use axum::{Router, routing::get};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokenrig::{Duty, IssuerSpec, Rig};
use tokenrig_attack::{Aim, Attacked, Fault, Shots, Strangers, Target, Verdict, aimed, attack};
use tokio::net::TcpListener;

async fn fired(rig: &Rig, aim: &Aim, target: &Target) -> Result<Attacked, Fault> {
    let strangers = Strangers::listen().await.unwrap();
    let shots: Shots = aimed(rig.core(), aim, &strangers).unwrap();
    attack(target, &shots, &strangers).await
}

/// An endpoint of this process.
async fn endpoint(judge: impl Fn(&HeaderMap) -> StatusCode + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let app = Router::new().route("/", get(async move |headers: HeaderMap| judge(&headers)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// Cloud Run, as the rig plays it, with a service that the rig's owner may call.
async fn with_service(rig: &Rig) -> String {
    let owner = rig.core().owner_token();
    let dialer = rig.dialer();
    let send = async |method: &str, url: String, body: serde_json::Value| {
        let request = http::Request::builder().method(method).uri(url);
        let request = request.header("authorization", format!("Bearer {owner}"));
        let request = request.header("content-type", "application/json");
        let answer = dialer.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    let parent = "https://run.googleapis.com/v2/projects/shop-test/locations/us-central1/services";
    let service = json!({ "template": { "containers": [{ "image": "us-docker.pkg.dev/cloudrun/container/hello" }] } });
    send("POST", format!("{parent}?serviceId=orders"), service).await;
    let email = rig.core().cloud().owner().email.clone();
    let members = json!([format!("serviceAccount:{email}")]);
    let policy = json!({ "policy": { "bindings": [{ "role": "roles/run.invoker", "members": members }] } });
    send("POST", format!("{parent}/orders:setIamPolicy"), policy).await;
    "https://orders-1071284184436.us-central1.run.app".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_run_as_the_rig_plays_it_withstands_and_is_not_even_careless() {
    let rig = Rig::builder().start().await;
    let url = with_service(&rig).await;
    let target = Target::played(&format!("{url}/hello"), rig.dialer().clone()).unwrap();
    let attacked = fired(&rig, &Aim::google(&url), &target).await.unwrap();
    let let_in: Vec<_> = attacked.hits.iter().filter(|hit| hit.answer.accepted()).map(|hit| hit.shot.name).collect();
    // Any key id but a known one is refused; what is left open by the standards is the list that holds the audience.
    assert_eq!(let_in, ["audience-among-others"]);
    assert!(attacked.withstood());
    assert_eq!(attacked.count(Verdict::Right), attacked.hits.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_believes_everything_is_told_each_token_that_it_must_not() {
    let rig = Rig::builder().issuer(IssuerSpec::new("corp")).start().await;
    let url = endpoint(|headers| match headers.get("authorization") {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNAUTHORIZED,
    })
    .await;
    let attacked =
        fired(&rig, &Aim::issuer("corp", "https://app.example"), &Target::new(&url, None).unwrap()).await.unwrap();
    for hit in &attacked.hits {
        let expected = match hit.shot.rule.duty {
            _ if hit.shot.name == "no-token" => Verdict::Right,
            Duty::Refuse => Verdict::Wrong,
            Duty::Beware => Verdict::Careless,
            Duty::Survive => Verdict::Right,
        };
        assert_eq!(hit.verdict, expected, "{}", hit.shot.name);
    }
    assert!(!attacked.withstood());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_good_token_is_refused_nothing_is_proven() {
    let rig = Rig::builder().start().await;
    let url = endpoint(|_| StatusCode::FORBIDDEN).await;
    let fault = fired(&rig, &Aim::google("a"), &Target::new(&url, None).unwrap()).await.unwrap_err();
    assert_eq!(fault, Fault::GoodRefused(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_nothing_is_proven() {
    let rig = Rig::builder().start().await;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", taken.local_addr().unwrap());
    drop(taken);
    let fault = fired(&rig, &Aim::google("a"), &Target::new(&url, None).unwrap()).await.unwrap_err();
    assert!(matches!(fault, Fault::Silent(_)), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_breaks_is_told_apart_from_one_that_refuses() {
    let rig = Rig::builder().start().await;
    let good = rig.core().cloud().owner().email.clone();
    let url = endpoint(move |headers| {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let opened = tokenrig_jose::peek(token.trim_start_matches("Bearer "));
        match opened {
            Some(opened) if opened.claims.get("email") == Some(&json!(good)) && opened.header.len() == 3 => {
                StatusCode::OK
            }
            Some(_) => StatusCode::UNAUTHORIZED,
            None => StatusCode::INTERNAL_SERVER_ERROR,
        }
    })
    .await;
    let attacked = fired(&rig, &Aim::google("a"), &Target::new(&url, None).unwrap()).await.unwrap();
    let broke: Vec<_> =
        attacked.hits.iter().filter(|hit| hit.verdict == Verdict::Broke).map(|hit| hit.shot.name).collect();
    assert!(broke.contains(&"garbage") && broke.contains(&"four-parts"), "{broke:?}");
    assert!(!broke.contains(&"jku"), "{broke:?}");
}
