//! What gcloud prints, as a given file.

use rstest::rstest;
use tokenrig_scenario::{Folder, Given, Kind, Loader, Template, parse_given};

fn read(text: &str) -> Given {
    read_with(text, &Folder(".".into()))
}

fn read_with(text: &str, loader: &dyn Loader) -> Given {
    match parse_given("printed.given.yaml", text.as_bytes(), loader) {
        Ok((given, _)) => given,
        Err(faults) => panic!("{faults}"),
    }
}

/// Collection, id and fields of every resource.
fn told(given: &Given) -> Vec<String> {
    let one = |resource: &tokenrig_scenario::GivenResource| {
        let parent = resource.parent.map(|parent| format!("{}/", given.resources[parent].id.text)).unwrap_or_default();
        let location =
            resource.location.as_ref().map(|location| format!(" in {}", plain(location))).unwrap_or_default();
        let disabled = resource.disabled.as_ref().map(|_| " disabled").unwrap_or_default();
        format!(
            "{} {parent}{}{location}{disabled} {}",
            resource.collection.name,
            resource.id.text,
            plain(&resource.body)
        )
    };
    given.resources.iter().map(one).collect()
}

fn plain(template: &Template) -> String {
    match &template.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Float(value) => value.to_string(),
        Kind::Text(text) => text.to_string(),
        Kind::Hole(_) | Kind::Mixed(_) => "HOLE".to_owned(),
        Kind::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let told: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", key.text, plain(value))).collect();
            format!("{{{}}}", told.join(", "))
        }
    }
}

const ACCOUNTS: &str = "---
description: Calls ${orders}
disabled: true
displayName: Caller
email: caller@shop-prod.iam.gserviceaccount.com
etag: MDEwMjE5MjA=
name: projects/shop-prod/serviceAccounts/caller@shop-prod.iam.gserviceaccount.com
oauth2ClientId: '115712345678901234567'
projectId: shop-prod
uniqueId: '115712345678901234567'
---
displayName: Compute Engine default service account
email: 350012345678-compute@developer.gserviceaccount.com
name: projects/shop-prod/serviceAccounts/350012345678-compute@developer.gserviceaccount.com
projectId: shop-prod
";

#[test]
fn a_stream_of_accounts_is_many_and_says_its_project() {
    let given = read(ACCOUNTS);
    assert_eq!(
        told(&given),
        [
            "iam.serviceAccounts caller disabled {description: Calls ${orders}, displayName: Caller}",
            "iam.serviceAccounts 350012345678-compute@developer.gserviceaccount.com \
             {displayName: Compute Engine default service account}",
        ]
    );
    assert_eq!(plain(given.project.as_ref().unwrap()), "{projectId: shop-prod}");
}

#[test]
fn a_list_of_json_is_many_and_providers_find_their_pool() {
    let given = read(
        r#"[
          { "name": "projects/350012345678/locations/global/workloadIdentityPools/github/providers/actions",
            "state": "ACTIVE", "oidc": { "issuerUri": "https://token.actions.githubusercontent.com", "newer": 1 },
            "attributeMapping": { "google.subject": "assertion.sub" } },
          { "name": "projects/350012345678/locations/global/workloadIdentityPools/github", "state": "ACTIVE",
            "displayName": "GitHub" },
          { "name": "projects/350012345678/locations/global/workloadIdentityPools/gone", "state": "DELETED" },
          { "projectId": "shop-prod", "projectNumber": "350012345678", "lifecycleState": "ACTIVE", "name": "Shop",
            "createTime": "2020-01-01T00:00:00Z" }
        ]"#,
    );
    assert_eq!(
        told(&given),
        [
            "iam.workloadIdentityPools github {displayName: GitHub}",
            "iam.workloadIdentityPools.providers github/actions {oidc: {issuerUri: \
             https://token.actions.githubusercontent.com}, attributeMapping: {google.subject: assertion.sub}}",
        ]
    );
    assert_eq!(plain(given.project.as_ref().unwrap()), "{projectId: shop-prod, projectNumber: 350012345678}");
}

const SERVICE: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  annotations:
    run.googleapis.com/custom-audiences: '["https://orders.shop.example"]'
    run.googleapis.com/ingress: internal
    run.googleapis.com/invoker-iam-disabled: 'true'
  labels: { cloud.googleapis.com/location: europe-west4 }
  name: orders
  namespace: '350012345678'
spec:
  template:
    spec:
      containers: [{ image: example.com/orders, env: [{ name: A, value: b }, { name: S, valueFrom: {} }] }]
      serviceAccountName: caller@shop-prod.iam.gserviceaccount.com
      timeoutSeconds: 300
status: { url: "https://orders-k4qxq7w3ua-ez.a.run.app" }
"#;

#[test]
fn a_cloud_run_service_is_taken_from_knatives_form() {
    let given = read(SERVICE);
    assert_eq!(
        told(&given),
        ["run.services orders in europe-west4 {ingress: INGRESS_TRAFFIC_INTERNAL_ONLY, invokerIamDisabled: true, \
          customAudiences: [https://orders.shop.example], template: {serviceAccount: \
          caller@shop-prod.iam.gserviceaccount.com, timeout: 300s, containers: [{image: example.com/orders, env: \
          [{name: A, value: b}]}]}}"]
    );
    assert_eq!(plain(given.project.as_ref().unwrap()), "{projectNumber: 350012345678}");
}

#[rstest]
#[case::a_service_by_the_api_v2(
    "{ name: projects/shop-prod/locations/europe-west4/services/orders, uid: x, ingress: INGRESS_TRAFFIC_ALL, uri: y, \
     terminalCondition: { type: Ready } }",
    "run.services orders in europe-west4 {ingress: INGRESS_TRAFFIC_ALL}"
)]
#[case::a_function_of_the_first_generation(
    "{ name: projects/shop-prod/locations/us-east1/functions/hello, entryPoint: hello, httpsTrigger: { url: x }, status: ACTIVE }",
    "cloudfunctions.functions hello in us-east1 {environment: GEN_1}"
)]
#[case::a_role(
    "{ name: projects/shop-prod/roles/minter, title: Minter, includedPermissions: [iam.serviceAccounts.getOpenIdToken], etag: x }",
    "iam.roles minter {title: Minter, includedPermissions: [iam.serviceAccounts.getOpenIdToken]}"
)]
fn a_resource_is_recognised_by_its_name(#[case] text: &str, #[case] what: &str) {
    assert_eq!(told(&read(text)), [what]);
}

/// A loader of two files.
struct Two;

impl Loader for Two {
    fn load(&self, path: &str) -> Result<Vec<u8>, String> {
        match path {
            "accounts.yaml" => Ok(ACCOUNTS.into()),
            "service.json" => Ok(SERVICE.into()),
            _ => Err("there is no such file".to_owned()),
        }
    }
}

#[test]
fn several_files_are_one_and_what_a_person_says_of_the_project_counts() {
    let include = "include: [accounts.yaml, service.json]\n";
    let given = read_with(include, &Two);
    assert_eq!(given.resources.len(), 3);
    assert_eq!(plain(given.project.as_ref().unwrap()), "{projectId: shop-prod, projectNumber: 350012345678}");

    let said = "include: [accounts.yaml]\nproject: { projectId: shop-test }\n";
    let given = read_with(said, &Two);
    assert_eq!(given.resources[0].id.text.as_ref(), "caller@shop-prod.iam.gserviceaccount.com", "of another project");
    assert_eq!(plain(given.project.as_ref().unwrap()), "{projectId: shop-test}");
}

#[rstest]
#[case("[]")]
#[case("--- []\n---\n")]
#[case("")]
fn nothing_printed_gives_nothing(#[case] text: &str) {
    assert!(read(text).resources.is_empty());
}
