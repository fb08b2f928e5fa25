//! Whatever comes in: never a panic, always RFC 6749 JSON.

use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokenrig_jose::sign_raw;

use crate::rig::{Answer, Rig, form, good, signer};

const JSON: &str = "application/json";

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn is_a_refusal(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(matches!(answer.status, 400 | 501), "{answer:?}");
    prop_assert!(answer.body["error"].is_string() && answer.body["error_description"].is_string(), "{answer:?}");
    Ok(())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_answered(
        body in prop::collection::vec(any::<u8>(), 0..400),
        kind in prop::sample::select(vec![JSON, "application/x-www-form-urlencoded", "", "application/jso\u{ff}"]),
        path in prop::sample::select(vec!["/v1/token", "/v1/introspect", "/v1/%ff", "/"]),
    ) {
        let request = Request::post(path).header("content-type", kind.as_bytes()).body(Body::from(body)).unwrap();
        is_a_refusal(&on(Rig::new().send(request)))?;
    }

    #[test]
    fn any_text_in_the_place_of_a_field_is_answered(
        at in 0..6_usize,
        text in "\\PC{0,300}|[-_a-zA-Z0-9.=%\\n]{0,300}",
    ) {
        let rig = Rig::new();
        let token = rig.token(json!({}));
        let mut fields = good(&token);
        fields[at].1 = &text;
        let body = form(&fields);
        let answer = on(rig.post("/v1/token", &[], body));
        if at != 2 {
            is_a_refusal(&answer)?;
        }
    }

    #[test]
    fn any_options_are_answered(text in "\\PC{0,200}|[%{}\"A-F0-9:]{0,200}") {
        let rig = Rig::new();
        let token = rig.token(json!({}));
        let body = form(&[&good(&token)[..], &[("options", text.as_str())]].concat());
        prop_assert!(matches!(on(rig.post("/v1/token", &[], body)).status, 200 | 400 | 501));
    }

    #[test]
    fn any_token_is_refused_by_one_of_its_checks(
        header in prop::collection::vec(any::<u8>(), 0..80),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let rig = Rig::new();
        let answer = on(rig.exchange(&sign_raw(&header, &payload, signer())));
        is_a_refusal(&answer)?;
        prop_assert_eq!(answer.status, 400);
        prop_assert_eq!(rig.refused().0, "signature");
    }

    #[test]
    fn any_claims_are_judged(
        name in prop::sample::select(vec!["iss", "aud", "iat", "exp", "sub", "department"]),
        value in json_value(),
        condition in prop::sample::select(vec!["", "assertion.department == 'x'", "google.subject.size() > 2"]),
    ) {
        let rig = Rig::new();
        rig.provider(|provider| {
            provider.attribute_condition = condition.to_owned();
            provider.attribute_mapping.push(("attribute.d".into(), "assertion.department".into()));
            provider.attribute_mapping.push(("google.groups".into(), "assertion.department".into()));
        });
        let answer = on(rig.exchange(&rig.token(json!({ name: value }))));
        if answer.status != 200 {
            is_a_refusal(&answer)?;
            prop_assert_eq!(answer.status, 400);
        }
    }
}
