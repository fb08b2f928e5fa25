use std::collections::BTreeSet;

use rstest::rstest;
use tokenrig_protos::{Body, Verb, table};

#[test]
fn every_method_has_its_own_id_and_short_name_and_a_way_in_http() {
    let methods = table().methods();
    assert!(methods.len() > 70, "{}", methods.len());
    assert_eq!(methods.iter().map(|method| method.id).collect::<BTreeSet<_>>().len(), methods.len());
    assert_eq!(methods.iter().map(|method| method.short).collect::<BTreeSet<_>>().len(), methods.len());
    for method in methods {
        assert!(method.host.ends_with(".googleapis.com"), "{}", method.id);
        assert!(!method.rules.is_empty() && !method.scopes.is_empty() && !method.surface.is_empty(), "{}", method.id);
        for variable in method.rules.iter().flat_map(|rule| rule.template.variables()) {
            let mut message = Some(method.input.clone());
            for part in variable.field.split('.') {
                let field = message.as_ref().and_then(|message| message.get_field_by_name(part));
                assert!(field.is_some(), "{} has no field {}", method.input.full_name(), variable.field);
                message = field.and_then(|field| field.kind().as_message().cloned());
            }
        }
        for rule in &method.rules {
            if let Body::Field(name) = rule.body {
                assert!(method.input.get_field_by_name(name).is_some(), "{}: body {name}", method.id);
            }
        }
    }
}

#[rstest]
#[case("GET", "run.googleapis.com", "/v2/projects/p/locations/l/services/s", "run.projects.locations.services.get")]
#[case(
    "GET",
    "us-central1-run.googleapis.com",
    "/v1/projects/p/locations/us-central1/services/s:getIamPolicy",
    "run.projects.locations.services.getIamPolicy"
)]
#[case(
    "POST",
    "iam.googleapis.com",
    "/v1/projects/p/serviceAccounts/a@b:getIamPolicy",
    "iam.projects.serviceAccounts.getIamPolicy"
)]
#[case(
    "POST",
    "iamcredentials.mtls.googleapis.com",
    "/v1/projects/-/serviceAccounts/a:signJwt",
    "iamcredentials.projects.serviceAccounts.signJwt"
)]
#[case("GET", "iam.googleapis.com", "/v1/roles/run.invoker", "iam.projects.roles.get")]
#[case("GET", "cloudresourcemanager.googleapis.com", "/v1/projects/1071284184436", "cloudresourcemanager.projects.get")]
#[case(
    "GET",
    "cloudresourcemanager.googleapis.com",
    "/v1/projects/example.com:shop",
    "cloudresourcemanager.projects.get"
)]
#[case(
    "POST",
    "cloudresourcemanager.googleapis.com",
    "/v1/projects/example.com:shop:getIamPolicy",
    "cloudresourcemanager.projects.getIamPolicy"
)]
#[case(
    "POST",
    "serviceusage.googleapis.com",
    "/v1/projects/p/services:batchEnable",
    "serviceusage.services.batchEnable"
)]
#[case(
    "POST",
    "iam.googleapis.com",
    "/v1/projects/p/serviceAccounts/a/keys:upload",
    "iam.projects.serviceAccounts.keys.upload"
)]
fn a_request_names_its_method(#[case] verb: &str, #[case] host: &str, #[case] path: &str, #[case] id: &str) {
    let found = table().match_rest(host, Verb::named(verb).unwrap(), path).unwrap();
    assert_eq!(found.method.id, id);
}

#[rstest]
#[case("storage.googleapis.com", "/v1/projects/p")]
#[case("evil-iam.googleapis.com", "/v1/roles/run.invoker")]
#[case("iam.googleapis.com", "/v1/roles/")]
#[case("iam.googleapis.com", "/v1/roles/run.invoker/x")]
#[case("iam.googleapis.com", "v1/roles/run.invoker")]
#[case("iam.googleapis.com", "/v1/roles/%ff")]
fn other_requests_name_none(#[case] host: &str, #[case] path: &str) {
    let found = table().match_rest(host, Verb::Get, path);
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn an_encoded_slash_does_not_make_two_segments_of_one() {
    let found = table().match_rest("iam.googleapis.com", Verb::Get, "/v1/roles/a%2Fb%40c").unwrap();
    assert_eq!(found.values, [("name", "roles/a%2Fb%40c".to_owned())]);
}

#[test]
fn a_mix_in_service_stands_at_its_host_only() {
    let path = "/google.longrunning.Operations/GetOperation";
    let found = table().by_grpc_path("run.googleapis.com", path).unwrap();
    assert_eq!(found.id, "run.projects.locations.operations.get");
    assert!(table().by_grpc_path("iam.googleapis.com", path).is_none());
}

#[test]
fn what_google_describes_without_protos_is_not_served_by_grpc() {
    let method = table().by_short("iam.workloadIdentityPools.create").unwrap();
    assert!(!method.grpc);
    assert!(table().by_grpc_path(method.host, method.grpc_path).is_none());
}

#[rstest]
#[case("run.services", "parent", Some("service_id"), Some("service"), "google.cloud.run.v2.Service", true)]
#[case(
    "iam.serviceAccounts",
    "name",
    Some("account_id"),
    Some("service_account"),
    "google.iam.admin.v1.ServiceAccount",
    false
)]
#[case("iam.serviceAccounts.keys", "name", None, None, "google.iam.admin.v1.ServiceAccountKey", false)]
#[case("iam.roles", "parent", Some("role_id"), Some("role"), "google.iam.admin.v1.Role", false)]
#[case(
    "iam.workloadIdentityPools",
    "parent",
    Some("workload_identity_pool_id"),
    Some("workload_identity_pool"),
    "tokenrig.iam.v1.WorkloadIdentityPool",
    true
)]
#[case(
    "iam.workloadIdentityPools.providers",
    "parent",
    Some("workload_identity_pool_provider_id"),
    Some("workload_identity_pool_provider"),
    "tokenrig.iam.v1.WorkloadIdentityPoolProvider",
    true
)]
#[case("orgpolicy.policies", "parent", None, Some("policy"), "google.cloud.orgpolicy.v2.Policy", false)]
fn a_collection_is_read_from_its_create_method(
    #[case] name: &str,
    #[case] parent: &str,
    #[case] id: Option<&str>,
    #[case] resource: Option<&str>,
    #[case] message: &str,
    #[case] operation: bool,
) {
    let collection = table().collection(name).unwrap();
    assert_eq!(collection.parent.name(), parent);
    assert_eq!(collection.id.as_ref().map(|field| field.name()), id);
    assert_eq!(collection.resource.as_ref().map(|field| field.name()), resource);
    assert_eq!(collection.message.full_name(), message);
    assert_eq!(collection.operation, operation);
    assert!(collection.get.is_some() && collection.delete.is_some());
}
