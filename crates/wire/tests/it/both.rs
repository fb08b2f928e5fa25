use http::HeaderValue;
use rstest::rstest;
use tokenrig_clock::minutes;
use tokenrig_protos::{google::rpc::ErrorInfo, prost::Message, prost::Name};

use crate::rig::{CLOUD_PLATFORM, Over, Rig};

#[rstest]
#[tokio::test]
async fn a_call_is_answered_and_its_decision_kept(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let token = rig.generate(over, Some(&bearer), "https://orders.example").await.unwrap();
    assert_eq!(
        token,
        "projects/-/serviceAccounts/caller@shop-test.iam.gserviceaccount.com https://orders.example true false a,b"
    );
    let record = rig.last();
    assert_eq!((record.surface.as_str(), record.answer.status), ("iamcredentials", 200));
    assert_eq!(record.of, "iamcredentials.projects.serviceAccounts.generateIdToken");
    let names: Vec<_> = record.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["credential", "scope", "request"]);
    assert_eq!(record.checks[0].found, format!("serviceAccount:{}", rig.cloud.owner_email()));
}

#[rstest]
#[tokio::test]
async fn who_brings_nothing_is_told_what_is_missing(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let (code, message) = rig.generate(over, None, "a").await.unwrap_err();
    assert_eq!(code, 16);
    assert!(message.starts_with("Request is missing required authentication credential."), "{message}");
    assert_eq!(rig.last().refusal.as_deref(), Some("api-token-missing"));
    assert_eq!(rig.last().failed().unwrap().name, "credential");
}

#[rstest]
#[case::garbage("Bearer garbage", "api-token-invalid")]
#[case::another_scheme("Basic eDp5", "api-token-missing")]
#[case::an_empty_bearer("Bearer ", "api-token-missing")]
#[case::an_id_token(
    "Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20iLCJhdWQiOiJodHRwczovL2EifQ.eA",
    "api-token-type-unsupported"
)]
#[tokio::test]
async fn a_bearer_that_is_no_access_token_is_refused(
    #[case] authorization: &str,
    #[case] refusal: &str,
    #[values(Over::Rest, Over::Grpc)] over: Over,
) {
    let rig = Rig::new();
    let (code, _) = rig.generate(over, Some(authorization), "a").await.unwrap_err();
    assert_eq!(code, 16);
    assert_eq!(rig.last().refusal.as_deref(), Some(refusal));
}

#[rstest]
#[tokio::test]
async fn a_token_whose_time_is_over_is_refused(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    rig.clock.advance_to(rig.clock.now() + minutes(61)).unwrap();
    assert_eq!(rig.generate(over, Some(&bearer), "a").await.unwrap_err().0, 16);
    assert_eq!(rig.last().refusal.as_deref(), Some("api-token-invalid"));
    assert!(rig.last().mend.unwrap().contains("expired"));
}

#[rstest]
#[tokio::test]
async fn a_token_for_other_things_is_refused(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token("https://www.googleapis.com/auth/drive"));
    let (code, message) = rig.generate(over, Some(&bearer), "a").await.unwrap_err();
    assert_eq!((code, message.as_str()), (7, "Request had insufficient authentication scopes."));
    assert_eq!(rig.last().failed().unwrap().name, "scope");
}

#[rstest]
#[tokio::test]
async fn the_handlers_refusal_reaches_the_client(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let (code, message) = rig.generate(over, Some(&bearer), "").await.unwrap_err();
    assert_eq!((code, message.as_str()), (3, "audience must be set: ä"));
    let record = rig.last();
    assert_eq!((record.refusal.as_deref(), record.answer.status), (Some("test-no-audience"), 400));
}

#[rstest]
#[tokio::test]
async fn a_defect_of_a_handler_is_an_internal_error(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let (code, message) = rig.generate(over, Some(&bearer), "panic").await.unwrap_err();
    assert_eq!((code, message.as_str()), (13, "Internal error encountered."));
    assert_eq!(rig.last().answer.status, 500);
}

#[tokio::test]
async fn a_grpc_error_carries_its_typed_details() {
    let rig = Rig::new();
    let path = "/google.iam.credentials.v1.IAMCredentials/GenerateIdToken";
    let answer = rig.grpc(None, "iamcredentials.googleapis.com", path, b"").await;
    let status = answer.details.unwrap();
    assert_eq!((status.code, status.details.len()), (16, 1));
    assert_eq!(status.details[0].type_url, format!("type.googleapis.com/{}", ErrorInfo::full_name()));
    let info = ErrorInfo::decode(status.details[0].value.as_slice()).unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("CREDENTIALS_MISSING", "googleapis.com"));
    assert_eq!(info.metadata["service"], "iamcredentials.googleapis.com");
    assert_eq!(info.metadata["method"], "google.iam.credentials.v1.IAMCredentials.GenerateIdToken");
}

#[tokio::test]
async fn a_grpc_message_is_percent_encoded() {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let path = "/google.iam.credentials.v1.IAMCredentials/GenerateIdToken";
    let answer = rig.grpc(Some(&bearer), "iamcredentials.googleapis.com", path, b"").await;
    assert_eq!(answer.message, "audience%20must%20be%20set:%20%C3%A4");
    assert!(answer.trailers_only && answer.body.is_empty());
}

#[tokio::test]
async fn a_grpc_message_that_cannot_be_read_is_refused() {
    let rig = Rig::new();
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let path = "/google.iam.credentials.v1.IAMCredentials/GenerateIdToken";
    let answer = rig.grpc(Some(&bearer), "iamcredentials.googleapis.com", path, b"\xff\xff\xff").await;
    assert_eq!(answer.code, 13);
    assert_eq!(rig.last().refusal.as_deref(), Some("api-grpc-message-malformed"));
}

#[rstest]
#[case::of_the_table(
    "/google.iam.credentials.v1.IAMCredentials/SignJwt",
    "iamcredentials.projects.serviceAccounts.signJwt"
)]
#[case::of_nobody(
    "/google.pubsub.v1.Publisher/Publish",
    "POST iamcredentials.googleapis.com/google.pubsub.v1.Publisher/Publish"
)]
#[tokio::test]
async fn a_grpc_method_that_nobody_plays_is_unimplemented(#[case] path: &str, #[case] listed: &str) {
    let rig = Rig::new();
    let answer = rig.grpc(None, "iamcredentials.googleapis.com", path, b"").await;
    assert_eq!(answer.code, 12);
    assert_eq!(rig.cloud.unplayed().list(), [(listed.to_owned(), 1)]);
}

#[tokio::test]
async fn a_pool_method_is_not_served_by_grpc() {
    let rig = Rig::new();
    let path = "/google.iam.v1.WorkloadIdentityPools/GetWorkloadIdentityPoolProvider";
    assert_eq!(rig.grpc(None, "iam.googleapis.com", path, b"").await.code, 12);
}

#[tokio::test]
async fn tonics_own_client_understands_the_answers() {
    use tokenrig_protos::google::iam::credentials::v1::{SignBlobRequest, SignBlobResponse};

    let rig = Rig::new();
    let bearer = HeaderValue::try_from(format!("Bearer {}", rig.token(CLOUD_PLATFORM))).unwrap();
    let router = rig.hosts.find("iamcredentials.googleapis.com").unwrap();
    let mut client = tonic::client::Grpc::new(tower::util::MapRequest::new(
        router,
        move |mut request: http::Request<tonic::body::Body>| {
            request.headers_mut().insert("authorization", bearer.clone());
            request.map(axum::body::Body::new)
        },
    ));
    let codec = tonic_prost::ProstCodec::<SignBlobRequest, SignBlobResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/google.iam.credentials.v1.IAMCredentials/SignBlob");
    let request = SignBlobRequest { payload: vec![1, 2, 3], ..Default::default() };
    client.ready().await.unwrap();
    let answer = client.unary(tonic::Request::new(request), path, codec).await.unwrap().into_inner();
    assert_eq!((answer.key_id.as_str(), answer.signed_blob), ("k", vec![1, 2, 3]));
}
