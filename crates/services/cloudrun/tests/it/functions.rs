//! Functions of both generations: their doors and their admin API.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloud::IdTokenOrder;
use tokenrig_policy::{Binding, Policy};

use crate::rig::{Answer, Over, PARENT, Rig};

const URL: &str = "https://us-central1-shop-test.cloudfunctions.net/hello";
const RUN_URL: &str = "https://hello-1071284184436.us-central1.run.app";
const FUNCTION: &str = "projects/shop-test/locations/us-central1/functions/hello";
const FUNCTION_POLICY: &str =
    "//cloudfunctions.googleapis.com/projects/shop-test/locations/us-central1/functions/hello";
const SERVICE_POLICY: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/hello";

async fn rig(environment: &str) -> Rig {
    let rig = Rig::new();
    create(&rig, "hello", json!({ "environment": environment })).await.unwrap();
    rig
}

async fn create(rig: &Rig, id: &str, function: Value) -> Result<Value, (u16, String)> {
    let create = json!({ "parent": PARENT, "functionId": id, "function": function });
    rig.owner(Over::Rest, "cloudfunctions.functions.create", create).await
}

fn grant(rig: &Rig, resource: &str, role: &str, member: &str) {
    rig.cloud.policies().set(resource, Policy::of([Binding::of(role, [member])])).unwrap();
}

/// Calls with an ID token of the caller for `audience`: the answer, and id of refusal, surface and method decided on.
async fn call(rig: &Rig, url: &str, audience: Option<&str>) -> (Answer, Option<String>, String) {
    let mut request = Request::get(url);
    if let Some(audience) = audience {
        let token = rig.cloud.mint().id_token(&IdTokenOrder::generated(&rig.caller, audience, true));
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = Answer::of(rig.send(request.body(Body::empty()).unwrap()).await).await;
    let last = rig.cloud.decisions().last().unwrap();
    (answer, last.refusal.clone(), last.surface.to_string())
}

#[rstest]
#[case::its_address(URL, Some(URL), 200, None)]
#[case::a_path_below(&format!("{URL}/orders/1?q=2"), Some(URL), 200, None)]
#[case::none(URL, None, 403, Some("functions-front-no-credential"))]
#[case::slash(
    URL,
    Some("https://us-central1-shop-test.cloudfunctions.net/hello/"),
    401,
    Some("functions-front-token-unverifiable")
)]
#[case::path(
    URL,
    Some("https://us-central1-shop-test.cloudfunctions.net/hello/orders"),
    401,
    Some("functions-front-token-unverifiable")
)]
#[case::host(
    URL,
    Some("https://us-central1-shop-test.cloudfunctions.net"),
    401,
    Some("functions-front-token-unverifiable")
)]
#[case::missing(
    "https://us-central1-shop-test.cloudfunctions.net/other",
    Some(URL),
    404,
    Some("functions-front-not-found")
)]
#[case::letter_case(
    "https://us-central1-shop-test.cloudfunctions.net/Hello",
    Some(URL),
    404,
    Some("functions-front-not-found")
)]
#[case::nearly(
    "https://us-central1-shop-test.cloudfunctions.net/hellos",
    Some(URL),
    404,
    Some("functions-front-not-found")
)]
#[case::other_region(
    "https://europe-west1-shop-test.cloudfunctions.net/hello",
    Some(URL),
    404,
    Some("functions-front-not-found")
)]
#[case::root("https://us-central1-shop-test.cloudfunctions.net/", Some(URL), 404, Some("functions-front-not-found"))]
#[tokio::test]
async fn both_generations_answer_at_the_functions_address(
    #[case] url: &str,
    #[case] audience: Option<&str>,
    #[case] status: u16,
    #[case] refusal: Option<&str>,
) {
    for (environment, resource, role) in
        [("GEN_1", FUNCTION_POLICY, "roles/cloudfunctions.invoker"), ("GEN_2", SERVICE_POLICY, "roles/run.invoker")]
    {
        let rig = rig(environment).await;
        grant(&rig, resource, role, &format!("serviceAccount:{}", rig.caller.email));
        let (answer, found, surface) = call(&rig, url, audience).await;
        assert_eq!((answer.status, found.as_deref()), (status, refusal), "{environment}");
        assert_eq!(surface, "cloud-functions");
    }
}

#[rstest]
#[case::first("GEN_1", FUNCTION_POLICY, "roles/cloudfunctions.invoker", true)]
#[case::first_by_the_role_of_services("GEN_1", FUNCTION_POLICY, "roles/run.invoker", false)]
#[case::first_by_a_service("GEN_1", SERVICE_POLICY, "roles/run.invoker", false)]
#[case::second("GEN_2", SERVICE_POLICY, "roles/run.invoker", true)]
#[case::second_by_the_role_of_functions("GEN_2", SERVICE_POLICY, "roles/cloudfunctions.invoker", false)]
#[case::second_by_the_functions_policy("GEN_2", FUNCTION_POLICY, "roles/cloudfunctions.invoker", false)]
#[tokio::test]
async fn each_generation_asks_for_its_own_permission(
    #[case] environment: &str,
    #[case] resource: &str,
    #[case] role: &str,
    #[case] open: bool,
) {
    let rig = rig(environment).await;
    grant(&rig, resource, role, &format!("serviceAccount:{}", rig.caller.email));
    let (answer, refusal, _) = call(&rig, URL, Some(URL)).await;
    let expected = if open { (200, None) } else { (403, Some("functions-front-permission-denied")) };
    assert_eq!((answer.status, refusal.as_deref()), expected);
    grant(&rig, resource, role, "allUsers");
    assert_eq!(call(&rig, URL, None).await.0.status, if open { 200 } else { 403 });
}

#[tokio::test]
async fn a_function_of_the_second_generation_is_a_service_too() {
    let rig = rig("GEN_2").await;
    grant(&rig, SERVICE_POLICY, "roles/run.invoker", &format!("serviceAccount:{}", rig.caller.email));
    let function = rig.owner(Over::Grpc, "cloudfunctions.functions.get", json!({ "name": FUNCTION })).await.unwrap();
    let run_url = function["serviceConfig"]["uri"].as_str().unwrap();
    assert_eq!((&function["url"], &function["state"]), (&json!(URL), &json!("ACTIVE")));
    for url in [URL, RUN_URL, run_url] {
        for audience in [URL, RUN_URL, run_url] {
            assert_eq!(call(&rig, url, Some(audience)).await.0.status, 200, "{url} {audience}");
        }
    }
    let (_, refusal, surface) = call(&rig, RUN_URL, None).await;
    assert_eq!((refusal.as_deref(), surface.as_str()), (Some("run-front-no-credential"), "cloud-run-front"));
    assert_eq!(rig.run.received("hello", 0).unwrap().len(), 10);
    assert_eq!(create(&rig, "Hello", json!({})).await.unwrap_err().0, 409);
}

#[tokio::test]
async fn the_code_sees_the_path_below_the_function_and_a_token_without_signature() {
    for environment in ["GEN_1", "GEN_2"] {
        let rig = rig(environment).await;
        grant(&rig, FUNCTION_POLICY, "roles/cloudfunctions.invoker", "allAuthenticatedUsers");
        grant(&rig, SERVICE_POLICY, "roles/run.invoker", "allAuthenticatedUsers");
        for (path, seen, query) in [("", "/", ""), ("/", "/", ""), ("?a=b", "/", "a=b"), ("/x/y?a=b", "/x/y", "a=b")] {
            let told = call(&rig, &format!("{URL}{path}"), Some(URL)).await.0.json();
            assert_eq!((&told["path"], &told["query"]), (&json!(seen), &json!(query)), "{path}");
            assert!(told["headers"]["authorization"].as_str().unwrap().ends_with(".SIGNATURE_REMOVED_BY_GOOGLE"));
            assert_eq!(told["headers"]["function-execution-id"].is_string(), environment == "GEN_1");
        }
        let received = rig.run.received(FUNCTION, 0).unwrap();
        assert_eq!(received.last().unwrap().path, "/hello/x/y?a=b");
        rig.run.set_workload(FUNCTION, &json!({ "answers": [{ "status": 201 }] })).unwrap();
        assert_eq!(call(&rig, URL, Some(URL)).await.0.status, 201);
    }
}

#[rstest]
#[case::all("ALLOW_ALL", 403)]
#[case::internal("ALLOW_INTERNAL_ONLY", 404)]
#[case::balancer("ALLOW_INTERNAL_AND_GCLB", 404)]
#[tokio::test]
async fn ingress_settings_count(#[case] settings: &str, #[case] status: u16) {
    for environment in ["GEN_1", "GEN_2"] {
        let rig = Rig::new();
        let function = json!({ "environment": environment, "serviceConfig": { "ingressSettings": settings } });
        create(&rig, "hello", function).await.unwrap();
        assert_eq!(call(&rig, URL, None).await.0.status, status);
    }
}

#[tokio::test]
async fn pages_say_no_as_cloud_run_does() {
    let rig = rig("GEN_1").await;
    let (refused, ..) = call(&rig, &format!("{URL}/a"), Some("https://other.example")).await;
    assert!(refused.text().contains("401 Unauthorized") && refused.text().contains("<code>/hello/a</code>"));
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer error=\"invalid_token\""));
    let (refused, ..) = call(&rig, URL, None).await;
    assert!(refused.text().contains("403 Forbidden") && refused.text().contains("<code>/hello</code>"));
}

#[rstest]
#[case(Over::Rest)]
#[case(Over::Grpc)]
#[tokio::test]
async fn functions_are_made_listed_granted_and_deleted(#[case] over: Over) {
    for environment in ["GEN_1", "GEN_2"] {
        let rig = rig(environment).await;
        let listed = rig.owner(over, "cloudfunctions.functions.list", json!({ "parent": PARENT })).await.unwrap();
        assert_eq!(listed["functions"][0]["environment"], environment);
        let again = create(&rig, "hello", json!({})).await.unwrap_err();
        assert_eq!(again, (409, format!("Resource '{FUNCTION}' already exists.")));
        let policy = json!({ "bindings": [{ "role": "roles/cloudfunctions.invoker", "members": ["allUsers"] }] });
        let set = json!({ "resource": FUNCTION, "policy": policy });
        rig.owner(over, "cloudfunctions.functions.setIamPolicy", set).await.unwrap();
        let got = rig.owner(over, "cloudfunctions.functions.getIamPolicy", json!({ "resource": FUNCTION })).await;
        assert_eq!(got.unwrap()["bindings"], policy["bindings"]);
        let operation = rig.owner(over, "cloudfunctions.functions.delete", json!({ "name": FUNCTION })).await.unwrap();
        let seen = rig.owner(over, "cloudfunctions.operations.get", json!({ "name": operation["name"] })).await;
        assert_eq!(seen.unwrap()["done"], true);
        let gone = rig.owner(over, "cloudfunctions.functions.get", json!({ "name": FUNCTION })).await.unwrap_err();
        assert_eq!(gone, (404, format!("Resource '{FUNCTION}' was not found")));
        assert_eq!(call(&rig, URL, None).await.0.status, 404);
        assert_eq!(call(&rig, RUN_URL, None).await.0.status, 404);
        create(&rig, "hello", json!({ "environment": environment })).await.unwrap();
        assert_eq!(call(&rig, URL, None).await.0.status, 403, "the policy went with the function");
    }
}

#[rstest]
#[case::id("1hello", json!({}), 400)]
#[case::end("hello_", json!({}), 400)]
#[case::account("hello", json!({ "serviceConfig": { "serviceAccountEmail": "none@shop-test.iam.gserviceaccount.com" } }), 403)]
#[tokio::test]
async fn what_cannot_be_a_function_is_refused(#[case] id: &str, #[case] function: Value, #[case] status: u16) {
    assert_eq!(create(&Rig::new(), id, function).await.unwrap_err().0, status);
}

#[tokio::test]
async fn who_makes_a_function_needs_the_permission_and_the_account() {
    let rig = Rig::new();
    let create = || json!({ "parent": PARENT, "functionId": "hello", "function": {} });
    let denied = rig.call(Over::Rest, &rig.caller, "cloudfunctions.functions.create", create()).await.unwrap_err();
    assert!(denied.0 == 403 && denied.1.contains("cloudfunctions.functions.create"), "{denied:?}");
    let project = "//cloudresourcemanager.googleapis.com/projects/shop-test";
    let member = format!("serviceAccount:{}", rig.caller.email);
    rig.cloud.policies().set(project, Policy::of([Binding::of("roles/cloudfunctions.developer", [member])])).unwrap();
    let denied = rig.call(Over::Rest, &rig.caller, "cloudfunctions.functions.create", create()).await.unwrap_err();
    assert!(denied.1.starts_with("Missing necessary permission iam.serviceAccounts.actAs for $MEMBER"), "{denied:?}");
}
