//! Each check failing once, for its own reason.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloud::{Provider, ProviderConfig};
use tokenrig_jose::{forge, pool, protected_header, sign_raw};

use crate::rig::{ISSUER, KID, PROVIDER, Rig, good, pool_name, signer};

fn rich(rig: &Rig, mapping: &[(&str, &str)], condition: &str) {
    rig.provider(|provider| {
        provider.attribute_mapping = mapping.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        provider.attribute_condition = condition.to_owned();
    });
}

/// The provider's name with something before and behind it.
fn own(scheme: &str, end: &str) -> String {
    format!("{scheme}//iam.googleapis.com/{PROVIDER}{end}")
}

#[rstest]
#[case::issuer(json!({ "iss": "https://login.evil.example" }), "issuer", "sts-issuer-mismatch", "invalid_grant")]
#[case::no_issuer(json!({ "iss": null }), "issuer", "sts-issuer-missing", "invalid_grant")]
#[case::issuer_is_a_number(json!({ "iss": 7 }), "issuer", "sts-issuer-mismatch", "invalid_grant")]
#[case::audience(json!({ "aud": "other" }), "token-audience", "sts-audience-mismatch", "invalid_grant")]
#[case::longer(json!({ "aud": own("https:", "x") }), "token-audience", "sts-audience-mismatch", "invalid_grant")]
#[case::http_audience(json!({ "aud": own("http:", "") }), "token-audience", "sts-audience-mismatch", "invalid_grant")]
#[case::no_audience(json!({ "aud": null }), "token-audience", "sts-audience-mismatch", "invalid_grant")]
#[case::expired(json!({ "iat": 1_768_460_000, "exp": 1_768_467_539 }), "times", "sts-token-expired", "invalid_grant")]
#[case::in_future(json!({ "iat": 1_768_467_719 }), "times", "sts-token-iat-in-future", "invalid_grant")]
#[case::no_iat(json!({ "iat": null }), "times", "sts-token-iat-missing", "invalid_grant")]
#[case::no_exp(json!({ "exp": null }), "times", "sts-token-exp-missing", "invalid_grant")]
#[case::text_for_exp(json!({ "exp": "1768471200" }), "times", "sts-token-exp-missing", "invalid_grant")]
#[case::no_subject(json!({ "sub": null }), "mapping", "sts-google-subject-unobtainable", "unauthorized_client")]
#[case::boolean_subject(json!({ "sub": true }), "mapping", "sts-mapped-attribute-boolean", "unauthorized_client")]
#[case::list_subject(json!({ "sub": ["a"] }), "mapping", "sts-mapped-attribute-list", "unauthorized_client")]
#[case::long_subject(json!({ "sub": "é".repeat(64) }), "size", "sts-subject-over-127-bytes", "invalid_request")]
#[tokio::test]
async fn a_wrong_claim_fails_the_check_that_reads_it(
    #[case] change: Value,
    #[case] check: &str,
    #[case] id: &str,
    #[case] error: &str,
) {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(change)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(rig.refused(), (check.to_owned(), id.to_owned()));
    assert_eq!(answer.body["error"], error);
    assert!(!answer.body["error_description"].as_str().unwrap().contains('{'), "{}", answer.body);
    assert!(rig.last().mend.is_some());
}

#[rstest]
#[case::audience_in_a_list(json!({ "aud": ["x", format!("//iam.googleapis.com/{PROVIDER}")] }))]
#[case::issuer_with_a_slash(json!({ "iss": format!("{ISSUER}/") }))]
#[case::expired_within_the_skew(json!({ "iat": 1_768_460_000, "exp": 1_768_467_541 }))]
#[case::dated_ahead_within_the_skew(json!({ "iat": 1_768_467_660 }))]
#[case::for_eleven_years(json!({ "exp": 2_115_000_000 }))]
#[case::not_yet_valid(json!({ "nbf": 1_868_467_600 }))]
#[case::the_longest_subject(json!({ "sub": format!("{}x", "é".repeat(63)) }))]
#[tokio::test]
async fn what_google_lets_pass_passes(#[case] change: Value) {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(change)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[rstest]
#[case::nothing_of_a_token("garbage")]
#[case::an_opaque_one("ya29.a0Ad52N3")]
#[case::five_parts("e30.e30.e30.e30.e30")]
#[case::json(r#"{"payload":"e30"}"#)]
#[case::padded("e30=.e30=.e30=")]
#[case::empty_parts("..")]
#[case::not_ascii("é.é.é")]
#[tokio::test]
async fn what_is_no_token_fails_the_check_of_the_signature(#[case] token: &str) {
    let rig = Rig::new();
    let answer = rig.exchange(token).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"].is_string() && answer.body["error_description"].is_string());
    assert_eq!(rig.refused(), ("signature".to_owned(), "sts-token-malformed".to_owned()));
}

#[rstest]
#[case::none(r#"{"alg":"none"}"#, "signature", "sts-token-malformed")]
#[case::hmac(r#"{"alg":"HS256","kid":"corp-1"}"#, "signature", "sts-token-malformed")]
#[case::no_algorithm(r#"{"kid":"corp-1"}"#, "signature", "sts-token-malformed")]
#[case::critical(r#"{"alg":"RS256","kid":"corp-1","crit":["exp"]}"#, "signature", "sts-token-malformed")]
#[case::unencoded(r#"{"alg":"RS256","kid":"corp-1","b64":false}"#, "signature", "sts-token-malformed")]
#[case::two_algorithms(r#"{"alg":"RS256","alg":"RS256","kid":"corp-1"}"#, "signature", "sts-token-malformed")]
#[case::no_key_id(r#"{"alg":"RS256"}"#, "key", "sts-key-unknown")]
#[case::a_path(r#"{"alg":"RS256","kid":"../../etc/passwd"}"#, "key", "sts-key-unknown")]
#[case::another_type(r#"{"alg":"ES256","kid":"corp-1"}"#, "key", "sts-key-type-mismatch")]
#[tokio::test]
async fn a_header_that_names_no_good_key_is_refused(#[case] header: &str, #[case] check: &str, #[case] id: &str) {
    let rig = Rig::new();
    let token = sign_raw(header.as_bytes(), rig.claims().to_string().as_bytes(), signer());
    let answer = rig.exchange(&token).await;
    assert_eq!((answer.status, rig.refused()), (400, (check.to_owned(), id.to_owned())));
}

#[rstest]
#[case::its_own(r#""jwk":{"kty":"RSA"}"#)]
#[case::elsewhere(r#""jku":"https://evil.example/keys","x5u":"https://evil.example/x""#)]
#[tokio::test]
async fn a_key_that_the_token_itself_names_is_never_asked_for(#[case] members: &str) {
    let rig = Rig::new();
    let header = format!(r#"{{"alg":"RS256","kid":"evil",{members}}}"#);
    let token = sign_raw(header.as_bytes(), rig.claims().to_string().as_bytes(), signer());
    assert_eq!(rig.exchange(&token).await.status, 400);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-key-unknown".to_owned()));
    assert_eq!(rig.hosts.asked("https://evil.example/keys"), 0);
}

#[tokio::test]
async fn a_token_that_needs_no_key_or_only_the_public_one_is_refused() {
    let rig = Rig::new();
    let claims = rig.claims();
    let claims = claims.as_object().unwrap();
    let mut header = protected_header(signer().algorithm(), KID);
    let unsigned = rig.token(json!({}));
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    for alg in ["none", "HS256"] {
        header["alg"] = json!(alg);
        let by_public_key = forge::hs256(&header, claims, signer().public().spki_der());
        for token in [forge::unsigned(&header, claims), by_public_key] {
            assert_eq!(rig.exchange(&token).await.status, 400);
            assert_eq!(rig.refused(), ("signature".to_owned(), "sts-token-malformed".to_owned()));
        }
    }
    assert_eq!(rig.exchange(unsigned).await.status, 400);
    assert_eq!(rig.refused(), ("signature".to_owned(), "sts-signature-invalid".to_owned()));
}

#[tokio::test]
async fn a_signature_of_somebody_else_is_refused_and_nothing_of_the_token_acted_upon() {
    let rig = Rig::new();
    let token = rig.token_by(KID, pool::rsa(11), json!({ "sub": "root" }));
    let answer = rig.exchange(&token).await;
    assert_eq!(answer.body["error_description"], "Unable to verify the ID Token signature.");
    assert_eq!(rig.refused(), ("signature".to_owned(), "sts-signature-invalid".to_owned()));
    let mapping = rig.last().checks.into_iter().find(|check| check.name == "mapping").unwrap();
    assert_eq!(mapping.found["google.subject"], "root");
    assert_eq!(answer.body.get("access_token"), None);
}

#[tokio::test]
async fn claims_that_cannot_be_read_fail_the_check_of_the_signature() {
    let rig = Rig::new();
    let header = serde_json::to_vec(&protected_header(signer().algorithm(), KID)).unwrap();
    for payload in ["", "[]", "null", r#"{"iss":"a","iss":"b"}"#, &"[".repeat(40_000)] {
        let answer = rig.exchange(&sign_raw(&header, payload.as_bytes(), signer())).await;
        assert_eq!((answer.status, rig.refused().0.as_str()), (400, "signature"), "{payload:.20}");
    }
}

#[tokio::test]
async fn a_token_of_more_than_64_kib_is_not_read() {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(json!({ "x": "a".repeat(64 << 10) }))).await;
    assert_eq!((answer.status, rig.refused().0.as_str()), (400, "signature"));
    assert!(serde_json::to_string(&rig.last()).unwrap().len() < 10_000);
}

#[tokio::test]
async fn large_claims_are_refused_and_not_kept_whole() {
    let rig = Rig::new();
    let token = rig.token(json!({ "aud": "a".repeat(20_000), "iss": "b".repeat(20_000) }));
    let answer = rig.exchange(&token).await;
    assert_eq!((answer.status, rig.refused().0.as_str()), (400, "issuer"));
    assert!(serde_json::to_string(&rig.last()).unwrap().len() < 20_000);
}

#[rstest]
#[case::other_form("${{ secrets.PROVIDER }}", "audience", "sts-audience-malformed")]
#[case::nothing("", "audience", "sts-audience-malformed")]
#[case::empty_segments(
    "//iam.googleapis.com/projects//locations/global/workloadIdentityPools//providers/",
    "audience",
    "sts-audience-empty-segments"
)]
#[case::unknown(
    "//iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/partners/providers/x",
    "provider",
    "sts-provider-not-found"
)]
#[case::project_id(
    "//iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/partners/providers/corp",
    "provider",
    "sts-audience-project-id-instead-of-number"
)]
#[case::workforce(
    "//iam.googleapis.com/locations/global/workforcePools/staff/providers/corp",
    "provider",
    "sts-provider-not-found"
)]
#[tokio::test]
async fn an_audience_that_names_no_provider_is_refused(#[case] audience: &str, #[case] check: &str, #[case] id: &str) {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let mut fields = good(&token);
    fields[1].1 = audience;
    rig.form("/v1/token", &fields).await;
    assert_eq!(rig.refused(), (check.to_owned(), id.to_owned()));
}

#[tokio::test]
async fn a_pool_or_provider_exchanges_only_while_it_is_there_and_enabled() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let status = async || rig.exchange(&token).await.status;
    let pools = rig.cloud.pools();
    let answer = rig.exchange(&token).await;
    let federated = answer.body["access_token"].as_str().unwrap();
    let works = || rig.cloud.caller(federated).is_ok();

    rig.provider(|provider| provider.disabled = true);
    assert_eq!((status().await, works()), (400, true));
    assert_eq!(rig.refused(), ("provider".to_owned(), "sts-provider-disabled".to_owned()));
    rig.provider(|provider| provider.disabled = false);
    assert_eq!((status().await, works()), (200, true));

    pools.delete_provider(&pool_name(), "corp").unwrap();
    assert_eq!((status().await, works()), (400, true));
    pools.undelete_provider(&pool_name(), "corp").unwrap();
    assert_eq!(status().await, 200);

    pools.update(&pool_name(), |pool| pool.disabled = true).unwrap();
    assert_eq!((status().await, works()), (400, false));
    pools.update(&pool_name(), |pool| pool.disabled = false).unwrap();
    pools.delete(&pool_name()).unwrap();
    assert_eq!((status().await, works()), (400, false));
    pools.undelete(&pool_name()).unwrap();
    assert_eq!((status().await, works()), (200, true));
}

#[tokio::test]
async fn a_provider_takes_tokens_of_its_own_kind() {
    let rig = Rig::new();
    let aws = ProviderConfig::Aws { account_id: "123456789012".to_owned() };
    rig.provider(|provider: &mut Provider| provider.config = aws);
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 400);
    assert_eq!(rig.refused(), ("provider".to_owned(), "sts-subject-token-of-another-kind".to_owned()));
}

#[tokio::test]
async fn a_provider_of_saml_is_not_played() {
    let rig = Rig::new();
    let saml = ProviderConfig::Saml { idp_metadata_xml: "<x/>".to_owned() };
    rig.provider(|provider: &mut Provider| provider.config = saml);
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 501);
    assert_eq!(rig.refused(), ("provider".to_owned(), "sts-not-played".to_owned()));
}

#[tokio::test]
async fn allowed_audiences_take_the_place_of_the_providers_name() {
    let rig = Rig::new();
    rig.oidc(|oidc| oidc.allowed_audiences = vec!["https://sts.corp.example".to_owned()]);
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 400);
    let answer = rig.exchange(&rig.token(json!({ "aud": "https://sts.corp.example" }))).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_condition_that_is_not_true_refuses() {
    let rig = Rig::new();
    rich(&rig, &[("google.subject", "assertion.sub")], "assertion.department == 'sales'");
    assert_eq!(rig.exchange(&rig.token(json!({ "department": "sales" }))).await.status, 200);
    let answer = rig.exchange(&rig.token(json!({ "department": "it" }))).await;
    assert_eq!(answer.body["error_description"], "The given credential is rejected by the attribute condition.");
    assert_eq!(rig.refused(), ("condition".to_owned(), "sts-attribute-condition-false".to_owned()));
}

#[rstest]
#[case::reads_the_claim("assertion.sub.startsWith('a')", "condition", "sts-sub-missing-with-condition")]
#[case::reads_another("assertion.iss != ''", "mapping", "sts-google-subject-unobtainable")]
#[case::reads_what_was_mapped("google.subject == 'alice'", "mapping", "sts-google-subject-unobtainable")]
#[tokio::test]
async fn a_token_without_subject_is_refused_by_the_condition_that_reads_it(
    #[case] condition: &str,
    #[case] check: &str,
    #[case] id: &str,
) {
    let rig = Rig::new();
    rich(&rig, &[("google.subject", "assertion.sub")], condition);
    rig.exchange(&rig.token(json!({ "sub": null }))).await;
    assert_eq!(rig.refused(), (check.to_owned(), id.to_owned()));
}

#[rstest]
#[case::groups_are_a_text("google.groups", "assertion.sub", "sts-groups-not-list")]
#[case::groups_of_numbers("google.groups", "[1]", "sts-groups-elements-not-string")]
#[case::too_much("attribute.a", "assertion.a", "sts-mapped-attributes-over-limit")]
#[tokio::test]
async fn a_mapping_that_gives_the_wrong_things_is_refused(#[case] name: &str, #[case] text: &str, #[case] id: &str) {
    let rig = Rig::new();
    rich(&rig, &[("google.subject", "assertion.sub"), (name, text)], "");
    assert_eq!(rig.exchange(&rig.token(json!({ "a": "x".repeat(8188) }))).await.status, 400);
    assert_eq!(rig.refused().1, id);
}
