//! The admin API on both wires.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloudrun::Settings;

use crate::rig::{HOST, ORDERS, Over, PARENT, Rig};

#[rstest]
#[tokio::test]
async fn a_service_is_made_told_changed_and_deleted(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let service = json!({ "customAudiences": ["orders-api"], "template": { "containers": [{ "image": "i" }] } });
    let create = json!({ "parent": PARENT, "serviceId": "orders", "service": service });
    let operation = rig.owner(over, "run.services.create", create).await.unwrap();
    assert_eq!(operation["done"], true);

    let told = rig.owner(over, "run.services.get", json!({ "name": ORDERS })).await.unwrap();
    assert_eq!(told["name"], ORDERS);
    assert_eq!(told["uri"], "https://orders-6w42z6vi3q-uc.a.run.app".replace("6w42z6vi3q", rig.cloud.run_hash()));
    assert_eq!(told["urls"], json!([format!("https://{HOST}"), told["uri"]]));
    assert_eq!(told["ingress"], "INGRESS_TRAFFIC_ALL");
    assert_eq!(told["generation"], "1");
    assert_eq!(told["template"]["serviceAccount"], "1071284184436-compute@developer.gserviceaccount.com");
    assert_eq!(told["terminalCondition"]["state"], "CONDITION_SUCCEEDED");
    assert_eq!(told["creator"], rig.cloud.owner_email());
    assert!(rig.run.has_host(HOST));

    let name = operation["name"].as_str().unwrap();
    let again = rig.owner(over, "run.operations.get", json!({ "name": name })).await.unwrap();
    assert_eq!(again["response"]["name"], ORDERS);

    let changed = json!({
        "service": { "name": ORDERS, "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY" },
        "updateMask": "ingress",
    });
    rig.owner(over, "run.services.patch", changed).await.unwrap();
    let after = rig.owner(over, "run.services.get", json!({ "name": ORDERS })).await.unwrap();
    assert_eq!(
        (&after["ingress"], &after["customAudiences"], &after["generation"]),
        (&json!("INGRESS_TRAFFIC_INTERNAL_ONLY"), &json!(["orders-api"]), &json!("2"))
    );
    assert_eq!((&after["uid"], &after["createTime"]), (&told["uid"], &told["createTime"]));
    let summary = rig.run.deployed().remove(0);
    assert_eq!((summary.id.as_str(), summary.ingress), ("orders", Some("INGRESS_TRAFFIC_INTERNAL_ONLY")));

    rig.owner(over, "run.services.delete", json!({ "name": ORDERS })).await.unwrap();
    assert!(!rig.run.has_host(HOST));
    let (status, message) = rig.owner(over, "run.services.get", json!({ "name": ORDERS })).await.unwrap_err();
    assert_eq!(status, 404);
    assert_eq!(
        message,
        "Resource 'orders' of kind 'SERVICE' in region 'us-central1' in project 'shop-test' does not exist."
    );
}

#[rstest]
#[tokio::test]
async fn services_are_listed_page_by_page(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    for (location, id) in [("us-central1", "a"), ("us-central1", "b"), ("us-central1", "c"), ("europe-west4", "d")] {
        let parent = format!("projects/shop-test/locations/{location}");
        let create = json!({ "parent": parent, "serviceId": id, "service": {} });
        rig.owner(Over::Rest, "run.services.create", create).await.unwrap();
    }
    let names = |page: &Value| -> Vec<String> {
        let all = page["services"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    let page = rig.owner(over, "run.services.list", json!({ "parent": PARENT, "pageSize": 2 })).await.unwrap();
    assert_eq!(names(&page), ["a", "b"]);
    let next = json!({ "parent": PARENT, "pageSize": 2, "pageToken": page["nextPageToken"] });
    assert_eq!(names(&rig.owner(over, "run.services.list", next).await.unwrap()), ["c"]);
    let everywhere = json!({ "parent": "projects/shop-test/locations/-" });
    assert_eq!(names(&rig.owner(over, "run.services.list", everywhere).await.unwrap()), ["d", "a", "b", "c"]);
    let wrong = json!({ "parent": PARENT, "pageToken": "%" });
    let (status, message) = rig.owner(over, "run.services.list", wrong).await.unwrap_err();
    assert_eq!((status, message.contains("page_token")), (400, true));
}

#[rstest]
#[tokio::test]
async fn a_revision_is_made_when_the_template_changes_and_only_then(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::deployed(Settings::default(), json!({ "template": { "containers": [{ "image": "one" }] } })).await;
    let labelled = json!({ "service": { "name": ORDERS, "labels": { "a": "b" } }, "updateMask": "labels" });
    rig.owner(over, "run.services.patch", labelled).await.unwrap();
    let all = rig.owner(over, "run.services.revisions.list", json!({ "parent": ORDERS })).await.unwrap();
    assert_eq!(all["revisions"].as_array().unwrap().len(), 1);
    let template = json!({ "containers": [{ "image": "two" }], "revision": "orders-blue" });
    let changed = json!({ "service": { "name": ORDERS, "template": template }, "updateMask": "template" });
    rig.owner(over, "run.services.patch", changed.clone()).await.unwrap();
    let all = rig.owner(over, "run.services.revisions.list", json!({ "parent": ORDERS })).await.unwrap();
    let names: Vec<&str> =
        all["revisions"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names[0].starts_with(&format!("{ORDERS}/revisions/orders-00001-")), "{names:?}");
    assert_eq!(names[1], format!("{ORDERS}/revisions/orders-blue"));
    let told = rig.owner(over, "run.services.get", json!({ "name": ORDERS })).await.unwrap();
    assert_eq!(told["latestReadyRevision"], names[1]);
    let one = rig.owner(over, "run.services.revisions.get", json!({ "name": names[1] })).await.unwrap();
    assert_eq!((&one["service"], &one["containers"][0]["image"]), (&json!("orders"), &json!("two")));

    let missing = json!({ "name": format!("{ORDERS}/revisions/none") });
    let (status, message) = rig.owner(over, "run.services.revisions.get", missing).await.unwrap_err();
    assert_eq!((status, message.contains("'REVISION'")), (404, true));
    let mut taken = changed;
    taken["service"]["template"]["containers"][0]["image"] = json!("three");
    let (status, message) = rig.owner(over, "run.services.patch", taken).await.unwrap_err();
    assert_eq!((status, message.contains("exists")), (400, true));
}

#[rstest]
#[tokio::test]
async fn the_policy_says_who_may_invoke(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let member = format!("serviceAccount:{}", rig.caller.email);
    let policy = json!({ "bindings": [{ "role": "roles/run.invoker", "members": [member] }] });
    let set = json!({ "resource": ORDERS, "policy": policy });
    rig.owner(over, "run.services.setIamPolicy", set).await.unwrap();
    let told = rig.owner(over, "run.services.getIamPolicy", json!({ "resource": ORDERS })).await.unwrap();
    assert_eq!(told["bindings"], policy["bindings"]);
    let ask = json!({ "resource": ORDERS, "permissions": ["run.routes.invoke", "run.services.delete"] });
    let held = rig.call(over, &rig.caller, "run.services.testIamPermissions", ask).await.unwrap();
    assert_eq!(held["permissions"], json!(["run.routes.invoke"]));
}

#[rstest]
#[case::id_taken("run.services.create", json!({ "parent": PARENT, "serviceId": "orders", "service": {} }), 409, "run-admin-service-exists")]
#[case::id_invalid("run.services.create", json!({ "parent": PARENT, "serviceId": "1orders", "service": {} }), 400, "run-admin-field-invalid")]
#[case::id_too_long("run.services.create", json!({ "parent": PARENT, "serviceId": "o".repeat(50), "service": {} }), 400, "run-admin-field-invalid")]
#[case::other_project("run.services.create", json!({ "parent": "projects/other/locations/l", "serviceId": "o", "service": {} }), 400, "run-admin-field-invalid")]
#[case::no_such_account("run.services.create", json!({ "parent": PARENT, "serviceId": "o", "service": { "template": { "serviceAccount": "none@shop-test.iam.gserviceaccount.com" } } }), 403, "run-admin-actas-denied")]
#[case::audiences_too_long("run.services.create", json!({ "parent": PARENT, "serviceId": "o", "service": { "customAudiences": ["a".repeat(33_000)] } }), 400, "run-admin-field-invalid")]
#[case::missing("run.services.get", json!({ "name": format!("{PARENT}/services/none") }), 404, "run-admin-service-not-found")]
#[case::stale("run.services.patch", json!({ "service": { "name": ORDERS, "etag": "\"1\"" } }), 409, "run-admin-etag-stale")]
#[case::stale_delete("run.services.delete", json!({ "name": ORDERS, "etag": "1" }), 409, "run-admin-etag-stale")]
#[case::revision_name("run.services.patch", json!({ "service": { "name": ORDERS, "template": { "revision": "billing-1" } } }), 400, "run-admin-field-invalid")]
#[case::no_operation("run.operations.get", json!({ "name": format!("{PARENT}/operations/none") }), 404, "run-admin-operation-not-found")]
#[tokio::test]
async fn what_cannot_be_is_refused_for_its_reason(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] method: &str,
    #[case] request: Value,
    #[case] status: u16,
    #[case] refusal: &str,
) {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let (found, _) = rig.owner(over, method, request).await.unwrap_err();
    let last = rig.cloud.decisions().last().unwrap();
    assert_eq!((last.refusal.as_deref(), found), (Some(refusal), status));
}

#[rstest]
#[case("run.services.create", json!({ "parent": PARENT, "serviceId": "o", "service": {} }))]
#[case("run.services.get", json!({ "name": ORDERS }))]
#[case("run.services.list", json!({ "parent": PARENT }))]
#[case("run.services.patch", json!({ "service": { "name": ORDERS } }))]
#[case("run.services.delete", json!({ "name": ORDERS }))]
#[case("run.services.getIamPolicy", json!({ "resource": ORDERS }))]
#[case("run.services.setIamPolicy", json!({ "resource": ORDERS, "policy": {} }))]
#[case("run.services.revisions.list", json!({ "parent": ORDERS }))]
#[case("run.services.revisions.get", json!({ "name": format!("{ORDERS}/revisions/r") }))]
#[case("run.operations.get", json!({ "name": format!("{PARENT}/operations/o") }))]
#[tokio::test]
async fn who_lacks_the_permission_is_refused(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] method: &str,
    #[case] request: Value,
) {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let (status, message) = rig.call(over, &rig.caller, method, request).await.unwrap_err();
    assert_eq!(status, 403, "{message}");
    assert_eq!(rig.cloud.decisions().last().unwrap().refusal.as_deref(), Some("run-admin-permission-denied"));
}

#[tokio::test]
async fn a_deployer_needs_to_act_as_the_services_account() {
    let rig = Rig::new();
    let project = rig.cloud.project().resource();
    let developer =
        tokenrig_policy::Binding::of("roles/run.developer", [format!("serviceAccount:{}", rig.caller.email)]);
    rig.cloud.policies().add(&project, [developer]);
    let create = json!({ "parent": PARENT, "serviceId": "orders", "service": {} });
    let (status, message) = rig.call(Over::Rest, &rig.caller, "run.services.create", create.clone()).await.unwrap_err();
    assert_eq!(status, 403);
    assert_eq!(
        message,
        "Permission 'iam.serviceaccounts.actAs' denied on service account \
         1071284184436-compute@developer.gserviceaccount.com (or it may not exist)."
    );
    let user =
        tokenrig_policy::Binding::of("roles/iam.serviceAccountUser", [format!("serviceAccount:{}", rig.caller.email)]);
    rig.cloud.policies().add(&project, [user]);
    rig.call(Over::Rest, &rig.caller, "run.services.create", create).await.unwrap();
}

#[tokio::test]
async fn validate_only_changes_nothing_and_allow_missing_makes_what_is_not_there() {
    let rig = Rig::new();
    let create = json!({ "parent": PARENT, "serviceId": "orders", "service": {}, "validateOnly": true });
    rig.owner(Over::Rest, "run.services.create", create).await.unwrap();
    assert!(!rig.run.has_host(HOST));
    let patch = json!({ "service": { "name": ORDERS, "labels": { "a": "b" } }, "allowMissing": true });
    rig.owner(Over::Rest, "run.services.patch", patch).await.unwrap();
    assert!(rig.run.has_host(HOST));
    rig.owner(Over::Rest, "run.services.delete", json!({ "name": ORDERS, "validateOnly": true })).await.unwrap();
    assert!(rig.run.has_host(HOST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_create_the_same_service_at_once_one_succeeds() {
    let rig = Arc::new(Rig::new());
    for round in 0..100 {
        let together = Arc::new(tokio::sync::Barrier::new(4));
        let all = (0..4).map(|_| {
            let (rig, together) = (Arc::clone(&rig), Arc::clone(&together));
            let create = json!({ "parent": PARENT, "serviceId": format!("orders-{round}"), "service": {} });
            tokio::spawn(async move {
                together.wait().await;
                rig.owner(Over::Rest, "run.services.create", create).await.is_ok()
            })
        });
        let done = futures_util::future::join_all(all).await;
        assert_eq!(done.into_iter().filter(|made| *made.as_ref().unwrap()).count(), 1);
    }
}
