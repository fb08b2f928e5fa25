//! Each check of the door, passing and failing for its own reason.

use std::sync::Arc;

use rstest::{fixture, rstest};
use serde_json::{Value, json};
use tokenrig_clock::{Clock as _, ManualClock, SharedClock, seconds};
use tokenrig_cloud::{AccessTokenOrder, Foundation, IdTokenOrder, NewAccount, ServiceAccount};
use tokenrig_jose::{forge, pool, protected_header, sign};
use tokenrig_policy::{Binding, Policy};
use tokenrig_protos::google::cloud::run::v2::Service;

use super::*;
use crate::{
    assumptions::{Inside, UserWithoutInvoker},
    model::ServiceName,
};

const NAME: &str = "projects/shop-test/locations/us-central1/services/orders";
const NUMBERED: &str = "https://orders-1071284184436.us-central1.run.app";
const GCLOUD: &str = "32555940559.apps.googleusercontent.com";

/// A private service, an account that may invoke it, and a request that would be let in.
struct Door {
    clock: Arc<ManualClock>,
    cloud: Cloud,
    settings: Settings,
    entrance: &'static Entrance,
    service: Service,
    caller: Arc<ServiceAccount>,
    path: &'static str,
    inside: bool,
}

#[fixture]
fn door() -> Door {
    let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
    let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as SharedClock));
    let new = NewAccount { account: "caller".into(), ..NewAccount::default() };
    let caller = cloud.accounts().create(new).unwrap();
    let service = Service { name: NAME.to_owned(), ..Service::default() };
    let door = Door {
        clock,
        cloud,
        settings: Settings::default(),
        entrance: &entrance::RUN,
        service,
        caller,
        path: "/orders/1",
        inside: false,
    };
    door.bind(Binding::of("roles/run.invoker", [format!("serviceAccount:{}", door.caller.email)]));
    door
}

impl Door {
    fn deployed(&self) -> Arc<Deployed> {
        Deployed::new(self.service.clone(), ServiceName::parse(NAME).unwrap(), &self.cloud, &self.settings)
    }

    fn url(&self) -> String {
        self.deployed().audiences[0].clone()
    }

    /// Replaces the service's policy.
    fn bind(&self, binding: Binding) {
        let policies = self.cloud.policies();
        policies.remove(&self.deployed().policy);
        policies.set(&self.deployed().policy, Policy::of([binding])).unwrap();
    }

    fn token(&self, audience: &str) -> String {
        self.cloud.mint().id_token(&IdTokenOrder::generated(&self.caller, audience, true))
    }

    /// A token of Google's whose claims are those of a good one with some changed; null takes one away.
    fn claiming(&self, changed: Value) -> String {
        let mut claims = peek(&self.token(&self.url())).unwrap().claims;
        for (name, value) in changed.as_object().unwrap() {
            claims.shift_remove(name);
            if !value.is_null() {
                claims.insert(name.clone(), value.clone());
            }
        }
        self.cloud.mint().sign_as_google(&claims)
    }

    fn admit(&self, header: Option<(&'static str, String)>) -> Admission {
        let request = Presented {
            host: "orders-1071284184436.us-central1.run.app".to_owned(),
            path: self.path.to_owned(),
            credential: header.map(|(header, value)| Credential { header, value }),
            inside: self.inside,
        };
        admit(&self.deployed(), self.entrance, &request, &self.cloud, &self.settings)
    }

    fn bearer(&self, token: &str) -> Admission {
        self.admit(Some(("authorization", format!("Bearer {token}"))))
    }
}

/// The checks that failed, and the id and status of the answer.
fn outcome(admission: &Admission) -> (Vec<&'static str>, Option<(&'static str, u16)>) {
    let failed = admission.decision.checks().iter().filter(|check| !check.ok()).map(Check::name).collect();
    (failed, admission.decision.verdict().err().map(|refused| (refused.id(), refused.form().status)))
}

fn refused(check: &'static str, id: &'static str, status: u16) -> (Vec<&'static str>, Option<(&'static str, u16)>) {
    (vec![check], Some((id, status)))
}

const OPEN: (Vec<&str>, Option<(&str, u16)>) = (Vec::new(), None);
const UNVERIFIABLE: &str = "run-front-token-unverifiable";

#[rstest]
fn a_good_token_passes_all_checks_in_their_order(door: Door) {
    let admission = door.bearer(&door.token(&door.url()));
    assert_eq!(outcome(&admission), OPEN);
    let names: Vec<&str> = admission.decision.checks().iter().map(Check::name).collect();
    assert_eq!(names, ["ingress", "credential", "issuer", "signature", "audience", "times", "permission"]);
    assert_eq!(admission.signature, Some(true));
    let (_, claims) = admission.token.unwrap().open().unwrap();
    assert_eq!(claims["email"], door.caller.email);
    assert_eq!(admission.principal.as_deref(), Some(&*format!("serviceAccount:{}", door.caller.email)));
}

#[rstest]
fn without_a_credential_a_private_service_answers_403(door: Door) {
    assert_eq!(outcome(&door.admit(None)), refused("credential", "run-front-no-credential", 403));
}

#[rstest]
#[case::basic("Basic dXNlcjpwYXNz")]
#[case::one_word("eyJhbGciOiJSUzI1NiJ9.e30.c2ln")]
#[case::no_token("Bearer ")]
#[case::garbage("Bearer garbage")]
#[case::five_parts("Bearer a.b.c.d.e")]
#[case::empty("")]
fn what_is_no_id_token_answers_401_and_is_not_told_whole(door: Door, #[case] value: &str) {
    let admission = door.admit(Some(("authorization", value.to_owned())));
    let (failed, answer) = outcome(&admission);
    assert_eq!((failed[0], answer), ("credential", Some((UNVERIFIABLE, 401))));
    let found = admission.decision.failed().unwrap().finding().to_string();
    let secret = value.split_once(' ').map_or(value, |(_, secret)| secret);
    assert!(secret.is_empty() || !found.contains(secret), "{found}");
}

#[rstest]
fn an_access_token_answers_401_and_its_holder_is_told_what_to_send(door: Door) {
    let order = AccessTokenOrder { identity: door.caller.identity(), scopes: vec![], lifetime: seconds(3600) };
    let token = door.cloud.mint().access_token(order);
    let admission = door.bearer(token.reveal());
    assert_eq!(outcome(&admission), refused("credential", UNVERIFIABLE, 401));
    let check = admission.decision.failed().unwrap();
    assert_eq!(check.finding(), "an access token");
    assert!(check.mending().unwrap().contains("generateIdToken"));
}

#[rstest]
#[case("Bearer")]
#[case("bearer")]
#[case("BEARER")]
fn the_scheme_may_be_written_in_any_letter_case(door: Door, #[case] scheme: &str) {
    let value = format!("{scheme} {}", door.token(&door.url()));
    assert_eq!(outcome(&door.admit(Some(("authorization", value)))), OPEN);
}

#[rstest]
fn a_token_of_another_issuer_is_refused_for_its_issuer(door: Door) {
    let admission = door.bearer(&door.claiming(json!({ "iss": "https://securetoken.google.com/shop-test" })));
    assert_eq!(outcome(&admission), refused("issuer", UNVERIFIABLE, 401));
}

#[rstest]
fn googles_issuer_may_come_without_its_scheme(door: Door) {
    assert_eq!(outcome(&door.bearer(&door.claiming(json!({ "iss": "accounts.google.com" })))), OPEN);
}

#[rstest]
fn a_token_that_another_key_signed_is_refused_for_its_signature(door: Door) {
    let good = door.token(&door.url());
    let claims = peek(&good).unwrap().claims;
    let kid = door.cloud.mint().google_keys().signing().kid().to_owned();
    let forged = sign(&protected_header(pool::rsa(9).algorithm(), &kid), &claims, pool::rsa(9));
    let unknown_key = sign(&protected_header(pool::rsa(9).algorithm(), "another"), &claims, pool::rsa(9));
    let unsigned = forge::unsigned(json!({ "alg": "none", "kid": kid }).as_object().unwrap(), &claims);
    let (signed, _) = good.rsplit_once('.').unwrap();
    for token in [forged, unknown_key, unsigned, format!("{signed}.AAAA")] {
        let admission = door.bearer(&token);
        assert_eq!(outcome(&admission), refused("signature", UNVERIFIABLE, 401));
        assert_eq!(admission.signature, Some(false));
        // Whom it names is not looked up.
        assert!(admission.decision.checks().iter().all(|check| check.name() != "permission"));
    }
}

#[rstest]
fn a_token_that_was_passed_on_by_a_workload_is_refused_for_its_signature(door: Door) {
    let good = door.token(&door.url());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (failed, answer) = outcome(&door.bearer(&format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE")));
    assert!(matches!(failed[..], ["signature"] | ["credential"]), "{failed:?}");
    assert_eq!(answer, Some((UNVERIFIABLE, 401)));
}

#[rstest]
#[case::hashed(|door: &Door| json!(door.url()), true)]
#[case::numbered(|_: &Door| json!(NUMBERED), true)]
#[case::trailing_slash(|_: &Door| json!(format!("{NUMBERED}/")), true)]
#[case::custom(|_: &Door| json!("orders-api"), true)]
#[case::list(|_: &Door| json!(["https://other.example", NUMBERED]), true)]
#[case::two_slashes(|_: &Door| json!(format!("{NUMBERED}//")), false)]
#[case::path(|_: &Door| json!(format!("{NUMBERED}/orders/1")), false)]
#[case::query(|_: &Door| json!(format!("{NUMBERED}?a=b")), false)]
#[case::letter_case(|_: &Door| json!(NUMBERED.to_uppercase()), false)]
#[case::http(|_: &Door| json!(NUMBERED.replace("https", "http")), false)]
#[case::custom_with_slash(|_: &Door| json!("orders-api/"), false)]
#[case::custom_url(|_: &Door| json!("https://orders.example.com"), true)]
#[case::custom_url_with_slash(|_: &Door| json!("https://orders.example.com/"), false)]
#[case::tag(|_: &Door| json!(NUMBERED.replace("https://", "https://green---")), false)]
#[case::other_list(|_: &Door| json!(["https://other.example"]), false)]
#[case::gcloud(|_: &Door| json!(GCLOUD), false)]
#[case::number(|_: &Door| json!(7), false)]
#[case::none(|_: &Door| Value::Null, false)]
fn the_audience_is_one_of_the_services_own(mut door: Door, #[case] aud: fn(&Door) -> Value, #[case] good: bool) {
    door.service.custom_audiences = vec!["orders-api".to_owned(), "https://orders.example.com".to_owned()];
    let admission = door.bearer(&door.claiming(json!({ "aud": aud(&door) })));
    let expected = if good { OPEN } else { refused("audience", UNVERIFIABLE, 401) };
    assert_eq!(outcome(&admission), expected);
}

#[rstest]
fn a_trailing_slash_can_be_refused_by_a_setting(mut door: Door) {
    door.settings.trailing_slash = false;
    let admission = door.bearer(&door.token(&format!("{NUMBERED}/")));
    assert_eq!(outcome(&admission), refused("audience", UNVERIFIABLE, 401));
}

#[rstest]
#[case::last_second(3599, OPEN)]
#[case::exactly_at_exp(3600, refused("times", "run-front-expired-token", 401))]
#[case::an_hour_late(7200, refused("times", "run-front-expired-token", 401))]
fn a_token_lives_until_its_exp(door: Door, #[case] later: i64, #[case] expected: (Vec<&str>, Option<(&str, u16)>)) {
    let token = door.token(&door.url());
    door.clock.advance_to(door.cloud.now() + seconds(later)).unwrap();
    assert_eq!(outcome(&door.bearer(&token)), expected);
}

#[rstest]
#[case::from_the_future(json!({ "iat": 1_768_467_601 }))]
#[case::no_iat(json!({ "iat": null }))]
#[case::no_exp(json!({ "exp": null }))]
#[case::exp_is_text(json!({ "exp": "1768471200" }))]
#[case::exp_is_beyond_all_time(json!({ "exp": 1e300 }))]
fn times_that_cannot_be_are_refused(door: Door, #[case] changed: Value) {
    let admission = door.bearer(&door.claiming(changed));
    assert_eq!(outcome(&admission), refused("times", UNVERIFIABLE, 401));
}

#[rstest]
fn skew_is_granted_at_both_ends_if_it_is_set(mut door: Door) {
    door.settings.skew = seconds(30);
    let early = door.claiming(json!({ "iat": 1_768_467_630 }));
    assert_eq!(outcome(&door.bearer(&early)), OPEN);
    let token = door.token(&door.url());
    door.clock.advance_to(door.cloud.now() + seconds(3629)).unwrap();
    assert_eq!(outcome(&door.bearer(&token)), OPEN);
    door.clock.advance_to(door.cloud.now() + seconds(1)).unwrap();
    assert_eq!(outcome(&door.bearer(&token)), refused("times", "run-front-expired-token", 401));
}

#[rstest]
fn who_may_not_invoke_answers_403_and_reads_what_is_missing(door: Door) {
    door.bind(Binding::of("roles/run.viewer", [format!("serviceAccount:{}", door.caller.email)]));
    let admission = door.bearer(&door.token(&door.url()));
    assert_eq!(outcome(&admission), refused("permission", "run-front-permission-denied", 403));
    let check = admission.decision.failed().unwrap();
    assert_eq!(check.expectation()["permission"], entrance::RUN.permission);
    assert!(check.mending().unwrap().contains("roles/run.invoker"), "{:?}", check.mending());
}

#[rstest]
fn a_token_without_email_is_known_by_its_unique_id(door: Door) {
    let order = IdTokenOrder::by_metadata(&door.caller, door.url(), false);
    let token = door.cloud.mint().id_token(&order);
    assert!(!peek(&token).unwrap().claims.contains_key("email"));
    assert_eq!(outcome(&door.bearer(&token)), OPEN);
}

#[rstest]
#[case::deleted(|door: &Door| { door.cloud.accounts().delete(&door.caller.email).unwrap(); })]
#[case::disabled(|door: &Door| { door.cloud.accounts().set_disabled(&door.caller.email, true).unwrap(); })]
fn an_account_that_is_gone_answers_403(door: Door, #[case] gone: fn(&Door)) {
    let token = door.token(&door.url());
    gone(&door);
    assert_eq!(outcome(&door.bearer(&token)), refused("permission", "run-front-permission-denied", 403));
}

#[rstest]
fn a_new_account_of_the_same_address_does_not_inherit_the_old_ones_token(door: Door) {
    let token = door.token(&door.url());
    door.cloud.accounts().delete(&door.caller.email).unwrap();
    let new = NewAccount { account: "caller".into(), ..NewAccount::default() };
    let new = door.cloud.accounts().create(new).unwrap();
    door.bind(Binding::of("roles/run.invoker", [format!("serviceAccount:{}", new.email)]));
    assert_eq!(outcome(&door.bearer(&token)), refused("permission", "run-front-permission-denied", 403));
}

#[rstest]
#[case("/public/prices", OPEN)]
#[case("/orders/1", refused("permission", "run-front-permission-denied", 403))]
fn a_condition_can_read_the_path(
    mut door: Door,
    #[case] path: &'static str,
    #[case] expected: (Vec<&str>, Option<(&str, u16)>),
) {
    let member = format!("serviceAccount:{}", door.caller.email);
    door.bind(Binding::of("roles/run.invoker", [member]).when("request.path.startsWith('/public/')"));
    door.path = path;
    assert_eq!(outcome(&door.bearer(&door.token(&door.url()))), expected);
}

#[rstest]
#[case::all_users(|door: &mut Door| door.bind(Binding::of("roles/run.invoker", ["allUsers"])))]
#[case::check_is_off(|door: &mut Door| door.service.invoker_iam_disabled = true)]
fn everybody_may_come_in_where_the_service_says_so_whatever_they_bring(door: Door, #[case] open: fn(&mut Door)) {
    let mut door = door;
    open(&mut door);
    let expired = door.claiming(json!({ "exp": 1 }));
    for header in [None, Some("Basic dTpw".to_owned()), Some(format!("Bearer {expired}"))] {
        let admission = door.admit(header.map(|value| ("authorization", value)));
        assert_eq!(outcome(&admission), OPEN);
        // Nobody looked at the signature, so it stays.
        assert_eq!(admission.signature, None);
    }
}

#[rstest]
fn all_authenticated_users_still_need_a_credential(door: Door) {
    door.bind(Binding::of("roles/run.invoker", ["allAuthenticatedUsers"]));
    assert_eq!(outcome(&door.admit(None)), refused("credential", "run-front-no-credential", 403));
    assert_eq!(outcome(&door.bearer(&door.token(&door.url()))), OPEN);
}

#[rstest]
#[case::all(IngressTraffic::All, false, true)]
#[case::internal_from_outside(IngressTraffic::InternalOnly, false, false)]
#[case::internal_from_inside(IngressTraffic::InternalOnly, true, true)]
#[case::balancer_from_outside(IngressTraffic::InternalLoadBalancer, false, false)]
#[case::balancer_from_inside(IngressTraffic::InternalLoadBalancer, true, true)]
#[case::none(IngressTraffic::None, true, false)]
fn ingress_decides_before_all_else(
    mut door: Door,
    #[case] ingress: IngressTraffic,
    #[case] inside: bool,
    #[case] open: bool,
) {
    door.service.ingress = ingress.into();
    door.inside = inside;
    let expected = if open { OPEN } else { refused("ingress", "run-front-ingress-not-allowed", 404) };
    assert_eq!(outcome(&door.bearer(&door.token(&door.url()))), expected);
    if !open {
        let (failed, answer) = outcome(&door.admit(None));
        assert_eq!((failed[0], answer), ("ingress", Some(("run-front-ingress-not-allowed", 404))));
    }
}

#[rstest]
fn a_service_without_its_default_address_does_not_answer_there(mut door: Door) {
    door.service.default_uri_disabled = true;
    let admission = door.bearer(&door.token(&door.url()));
    assert_eq!(outcome(&admission), refused("ingress", "run-front-ingress-not-allowed", 404));
}

#[rstest]
#[case::invoker(true, UserWithoutInvoker::Forbidden, OPEN)]
#[case::forbidden(false, UserWithoutInvoker::Forbidden, refused("permission", "run-front-permission-denied", 403))]
#[case::unauthorized(
    false,
    UserWithoutInvoker::Unauthorized,
    refused("permission", "run-front-user-without-invoker", 401)
)]
#[case::hidden(false, UserWithoutInvoker::NotFound, refused("permission", "run-front-user-not-found", 404))]
fn a_user_comes_with_gclouds_audience(
    mut door: Door,
    #[case] invoker: bool,
    #[case] without: UserWithoutInvoker,
    #[case] expected: (Vec<&str>, Option<(&str, u16)>),
) {
    door.settings.user_without_invoker = without;
    let member = if invoker { "user:alice@shop.example" } else { "user:bob@shop.example" };
    door.bind(Binding::of("roles/run.invoker", [member]));
    let token = door.claiming(json!({ "aud": GCLOUD, "azp": GCLOUD, "sub": "1234", "email": "alice@shop.example" }));
    assert_eq!(outcome(&door.bearer(&token)), expected);
}

#[rstest]
fn nobody_is_inside_unless_it_is_set(door: Door) {
    let parts = http::Request::get("/").header("x-from", "vpc").body(()).unwrap().into_parts().0;
    assert!(!door.settings.inside.holds(&parts));
    assert!(Inside::Everybody.holds(&parts));
    let by_header = Inside::When(Arc::new(|parts| parts.headers.contains_key("x-from")));
    assert!(by_header.holds(&parts));
}

#[rstest]
fn all_faults_of_a_token_are_told_at_once(door: Door) {
    let admission = door.bearer(&door.claiming(json!({ "aud": "x", "exp": 1, "iss": "https://idp.example" })));
    assert_eq!(outcome(&admission).0, ["issuer", "audience", "times"]);
}

#[rstest]
#[case::run(&entrance::RUN, "roles/run.invoker", OPEN)]
#[case::second(&entrance::SECOND, "roles/run.invoker", OPEN)]
#[case::first(&entrance::FIRST, "roles/cloudfunctions.invoker", OPEN)]
#[case::run_by_the_other_role(
    &entrance::RUN,
    "roles/cloudfunctions.invoker",
    refused("permission", "run-front-permission-denied", 403)
)]
#[case::first_by_the_other_role(
    &entrance::FIRST,
    "roles/run.invoker",
    refused("permission", "functions-front-permission-denied", 403)
)]
fn each_entrance_asks_for_its_own_permission(
    mut door: Door,
    #[case] entrance: &'static Entrance,
    #[case] role: &str,
    #[case] expected: (Vec<&str>, Option<(&str, u16)>),
) {
    door.entrance = entrance;
    door.bind(Binding::of(role, [format!("serviceAccount:{}", door.caller.email)]));
    assert_eq!(outcome(&door.bearer(&door.token(&door.url()))), expected);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_credential_makes_the_door_panic(value in "\\PC{0,60}", prefix in prop::sample::select(vec!["", "Bearer ", "bearer eyJ", "Bearer e30.e30."])) {
            let door = door();
            let admission = door.admit(Some(("authorization", format!("{prefix}{value}"))));
            prop_assert!(admission.decision.verdict().is_err());
        }

        #[test]
        fn no_claims_make_the_door_panic_or_open_it(
            name in prop::sample::select(vec!["iss", "aud", "sub", "exp", "iat"]),
            value in prop_oneof![
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                "\\PC{0,20}".prop_map(Value::from),
                Just(json!([])), Just(json!({})), Just(json!([[null]])), Just(json!(true)),
            ],
        ) {
            let door = door();
            let admission = door.bearer(&door.claiming(json!({ name: value.clone() })));
            // Of random values only a time that is good by chance may pass.
            prop_assert!(admission.decision.verdict().is_err() || matches!(name, "exp" | "iat"), "{name} {value}");
        }
    }
}
