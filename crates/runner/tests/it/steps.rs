//! What each verb does.

use serde_json::{Value, json};
use tokenrig_decision::Code;
use tokenrig_jose::{Jws, peek, pool};
use tokenrig_runner::{Answer, Outcome, Received};

use crate::fake::{Fake, ISSUER, KID, ran};

/// Runs steps with an issuer given.
async fn steps(fake: Fake, steps: &str) -> crate::fake::Ran {
    ran(fake, &format!("scenario: a\ngiven: {{ issuers: {{ corp: {{}} }} }}\nsteps:\n{steps}")).await
}

fn header(request: &tokenrig_runner::Request, name: &str) -> Vec<String> {
    request.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
}

#[tokio::test]
async fn mint_fills_in_issuer_and_times_and_leaves_out_what_is_absent() {
    let ran = steps(
        Fake::new().on("GET https://a.example/", 200, json!({})),
        r#"
  - mint: corp
    claims: { sub: alice, groups: [a, 1], exp: "${absent}" }
    header: { typ: at+jwt }
    save: { token_a: token }
  - http: GET https://a.example/
    as: ${token_a}
    expect:
      that:
        - jwt(token_a).claims.iat == int(now)
        - "!has(jwt(token_a).claims.exp)"
"#
        .trim_start_matches('\n'),
    )
    .await;
    ran.passed();
    let bearer = header(&ran.last(), "authorization").remove(0);
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let jws = Jws::parse(token).unwrap();
    assert_eq!(jws.verify(&pool::rsa(0).public()), Ok(()));
    assert_eq!(
        json!(jws.claims().unwrap()),
        json!({ "iss": ISSUER, "iat": 1_768_467_600, "sub": "alice", "groups": ["a", 1] })
    );
    assert_eq!((jws.kid(), jws.header()["typ"].as_str()), (Some(KID), Some("at+jwt")));
}

#[tokio::test]
async fn every_flaw_makes_a_token_wrong_in_its_own_way() {
    let flawed = |flaw: &'static str| async move {
        let text = format!(
            "  - mint: corp\n    claims: {{ sub: alice, aud: me }}\n    flaw: {flaw}\n    save: {{ wrong: token }}\n  - http: GET https://a.example/\n    headers: {{ x: \"${{wrong}}\" }}\n"
        );
        let ran = steps(Fake::new().on("GET https://a.example/", 200, json!({})), &text).await;
        ran.passed();
        header(&ran.last(), "x").remove(0)
    };
    let claims = |token: &str| json!(peek(token).unwrap().claims);
    let verified = |token: &str| Jws::parse(token).is_ok_and(|jws| jws.verify(&pool::rsa(0).public()).is_ok());
    let now = 1_768_467_600;

    assert_eq!(peek(&flawed("alg-none").await).unwrap().header["alg"], "none");
    let token = flawed("wrong-key").await;
    assert!(!verified(&token) && peek(&token).unwrap().header["kid"] == KID);
    assert_ne!(peek(&flawed("unknown-kid").await).unwrap().header["kid"], KID);
    assert_eq!(peek(&flawed("no-kid").await).unwrap().header.get("kid"), None);
    let token = flawed("expired").await;
    assert!(verified(&token) && claims(&token)["exp"].as_i64().unwrap() < now);
    assert!(claims(&flawed("not-yet-valid").await)["iat"].as_i64().unwrap() > now);
    assert_eq!(claims(&flawed("no-exp").await).get("exp"), None);
    assert_eq!(claims(&flawed("no-iat").await).get("iat"), None);
    assert_ne!(claims(&flawed("wrong-issuer").await)["iss"], ISSUER);
    assert_ne!(claims(&flawed("wrong-audience").await)["aud"], "me");
    assert_eq!(claims(&flawed("no-subject").await).get("sub"), None);
    assert!(!verified(&flawed("tampered-payload").await));
    assert!(!verified(&flawed("truncated").await));
    assert!(flawed("oversized").await.len() > 64 << 10);
}

#[tokio::test]
async fn exchange_sends_the_usual_fields_and_with_replaces_each() {
    let sts = || {
        Fake::new().on(
            "POST https://sts.googleapis.com/v1/token",
            200,
            json!({ "access_token": "ya29.d.abcdefghijklmnop" }),
        )
    };
    let form = |request: &tokenrig_runner::Request| {
        let mut fields: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
        fields.sort();
        fields
    };
    let plain = steps(
        sts(),
        "  - exchange: subject\n    at: projects/1/locations/global/workloadIdentityPools/p/providers/o\n",
    )
    .await;
    plain.passed();
    let fields = form(&plain.last());
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["audience", "grant_type", "requested_token_type", "scope", "subject_token", "subject_token_type"]
    );
    assert_eq!(fields[0].1, "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/o");

    let changed = steps(
        sts(),
        "  - exchange: subject\n    with: { grantType: \"${absent}\", options: '{\"userProject\":\"1\"}', audience: a }\n",
    )
    .await;
    changed.passed();
    let fields = form(&changed.last());
    assert_eq!(fields[0], ("audience".into(), "a".into()));
    assert!(fields.contains(&("options".into(), "{\"userProject\":\"1\"}".into())));
    assert!(!fields.iter().any(|(name, _)| name == "grant_type"));
}

#[tokio::test]
async fn a_call_is_made_by_rest_as_the_reference_shows_it() {
    let fake = Fake::new().on("POST https://iamcredentials.googleapis.com/", 200, json!({ "token": "t" }));
    let ran = steps(fake, "  - call: iamcredentials.serviceAccounts.generateIdToken\n    as: ${'ya29.some-token-of-mine'}\n    with: { name: projects/-/serviceAccounts/a@b, audience: x, includeEmail: true }\n    save: { t: body.token }\n").await;
    ran.passed();
    let request = ran.last();
    assert_eq!(request.url, "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b:generateIdToken");
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "audience": "x", "includeEmail": true })
    );
    assert_eq!(header(&request, "authorization"), ["Bearer ya29.some-token-of-mine"]);
}

#[tokio::test]
async fn fields_of_a_get_are_its_query_and_the_owner_calls_by_default() {
    let fake = Fake::new().on("GET https://iam.googleapis.com/", 200, json!({}));
    let ran = steps(fake, "  - call: iam.serviceAccounts.list\n    with: { name: projects/p, pageSize: 5 }\n").await;
    ran.passed();
    assert_eq!(ran.last().url, "https://iam.googleapis.com/v1/projects/p/serviceAccounts?pageSize=5");
    assert_eq!(header(&ran.last(), "authorization"), ["Bearer ya29.owner-of-the-project"]);
    assert!(ran.last().body.is_empty());
}

#[tokio::test]
async fn a_call_over_grpc_is_framed_and_its_answer_read_as_rest_would_give_it() {
    let fake = |answer: Answer| {
        Fake::new().by(
            "POST https://iamcredentials.googleapis.com/google.iam.credentials.v1.IAMCredentials/GenerateIdToken",
            move |_| answer.clone(),
        )
    };
    let text = |expect: &str| {
        format!(
            "  - call: iamcredentials.serviceAccounts.generateIdToken\n    over: grpc\n    with: {{ name: projects/-/serviceAccounts/a@b, audience: x }}\n    expect: {expect}\n"
        )
    };
    // GenerateIdTokenResponse { token: "tok" }, field 1
    let good = Answer {
        status: 200,
        version: "HTTP/2",
        body: b"\0\0\0\0\x05\x0a\x03tok".to_vec(),
        trailers: vec![("grpc-status".into(), "0".into())],
        ..Answer::default()
    };
    let ran = steps(fake(good), &text("{ status: 200, body: { token: tok } }")).await;
    ran.passed();
    let request = ran.last();
    assert_eq!(header(&request, "content-type"), ["application/grpc"]);
    assert_eq!(request.body[..5], [0, 0, 0, 0, u8::try_from(request.body.len() - 5).unwrap()]);

    let exchange = &ran.reports[0].steps[0].exchanges[0];
    assert_eq!(exchange.request_body, "{\"name\":\"projects/-/serviceAccounts/a@b\",\"audience\":\"x\"}");
    assert_eq!(exchange.answer.as_ref().unwrap().body, "{\"token\":\"tok\"}");

    let code = Code::PermissionDenied.grpc().to_string();
    let bad = Answer {
        status: 200,
        headers: vec![("grpc-status".into(), code), ("grpc-message".into(), "no%20way".into())],
        ..Answer::default()
    };
    let refused = text("{ status: 403, body: { error: { code: 403, message: no way, status: PERMISSION_DENIED } } }");
    steps(fake(bad), &refused).await.passed();
}

#[tokio::test]
async fn http_sends_its_target_byte_for_byte_with_what_is_said_and_nothing_else() {
    let fake = || Fake::new().on("P", 200, json!({}));
    let ran = steps(fake(), "  - http: PUT https://a.example/a%2Fb/../c?x=%20&y#z\n    query: { q: [a b, c] }\n    headers: { X-One: [a, b], x-two: \"${absent}\" }\n    json: { a: 1, b: \"${absent}\" }\n").await;
    ran.passed();
    let request = ran.last();
    assert_eq!(request.url, "https://a.example/a%2Fb/../c?x=%20&y#z&q=a+b&q=c");
    assert_eq!(header(&request, "X-One"), ["a", "b"]);
    assert_eq!(request.body, b"{\"a\":1}");
    assert_eq!(header(&request, "content-type"), ["application/json"]);
    assert!(header(&request, "authorization").is_empty());

    let form = steps(fake(), "  - http: POST https://a.example/\n    form: { a: x y, b: [1, 2] }\n").await;
    assert_eq!(form.passed().last().body, b"a=x+y&b=1&b=2");
    let text = steps(fake(), "  - http: POST https://a.example/\n    text: \"a,b\\n\"\n").await;
    assert_eq!(text.passed().last().body, b"a,b\n");
    let file = steps(fake(), "  - http: POST https://a.example/\n    file: body.bin\n").await;
    assert_eq!(file.passed().last().body, b"\x00\xffbytes");
}

#[tokio::test]
async fn an_accounts_access_token_goes_to_googles_apis_only() {
    let text = |host: &str| {
        format!(
            "scenario: a\nvars: {{ host: {host} }}\ngiven: {{ iam.serviceAccounts: {{ caller: {{}} }} }}\nsteps:\n  - http: GET https://${{vars.host}}/v1/x\n    as: caller\n"
        )
    };
    let fake = || {
        Fake::new()
            .on(
                "POST https://iam.googleapis.com/",
                200,
                json!({ "name": "projects/p/serviceAccounts/c@p", "email": "c@p" }),
            )
            .on("GET ", 200, json!({}))
    };
    let good = ran(fake(), &text("storage.googleapis.com")).await;
    assert_eq!(header(&good.passed().last(), "authorization"), ["Bearer ya29.c@p"]);
    let bad = ran(fake(), &text("storage.googleapis.com.example")).await;
    assert!(bad.messages()[0].contains("only Google's APIs take"), "{:?}", bad.messages());
}

#[tokio::test]
async fn a_command_runs_without_a_shell_in_the_scenarios_folder() {
    let ran = steps(
        Fake::new(),
        r#"  - run: sh -c 'cat body.bin | wc -c; cat; echo "$WORLD $MINE $1" >&2; exit 3' sh '${"a  b"}'
    env: { MINE: "${1 + 1}" }
    stdin: from stdin
    expect: { exit: 3, stdout: "7\nfrom stdin", stderr: "fake 2 a  b\n" }
"#,
    )
    .await;
    ran.passed();
    assert_eq!(ran.reports[0].steps[0].command.as_ref().unwrap().exit, 3);
}

#[tokio::test]
async fn a_command_that_overruns_is_ended_and_says_so() {
    let ran = steps(Fake::new(), "  - run: sleep 60\n    deadline: 100ms\n    expect: { exit: 143 }\n").await;
    assert_eq!(ran.messages(), ["the command had not ended after 0.1 s"]);
}

#[tokio::test]
async fn a_command_that_fails_unexpectedly_fails_its_step() {
    let ran = steps(Fake::new(), "  - run: \"false\"\n").await;
    assert_eq!(ran.messages(), ["this command expects nothing, so its exit code must be 0; found 1"]);
}

#[tokio::test]
async fn advance_moves_the_clock_by_a_duration_or_to_an_instant_and_never_back() {
    let ran = steps(Fake::new(), "  - advance: 9m59s\n    expect: { that: [\"now == timestamp('2026-01-15T09:09:59Z')\"] }\n  - advance: 2026-01-16T00:00:00Z\n    expect: { that: [\"now == timestamp('2026-01-16T00:00:00Z')\"] }\n  - advance: 2026-01-15T00:00:00Z\n").await;
    assert_eq!(ran.messages(), ["it is 2026-01-16T00:00:00Z already; the clock goes forward only"]);
}

#[tokio::test]
async fn receive_gives_what_came_since_the_last_look_with_tokens_opened() {
    let request = Received {
        seq: 1,
        at: "2026-01-15T09:05:00Z".parse().unwrap(),
        method: "POST".into(),
        path: "/tick?x=1".into(),
        headers: vec![("user-agent".into(), "Google-Cloud-Scheduler".into())],
        body: b"{\"n\": 1}".to_vec(),
        status: 200,
        token: peek(&crate::fake::google_token(
            &json!({ "iss": "https://accounts.google.com", "aud": "orders", "iat": 1 }),
        )),
        signature_checked: Some(true),
        decision: None,
    };
    let fake = Fake { received: vec![request], ..Fake::new() }.on(
        "POST https://run.googleapis.com/",
        200,
        json!({ "done": true, "response": { "name": "projects/p/locations/l/services/report" } }),
    );
    let text = r#"
scenario: a
given: { run.services: { report: {} } }
steps:
  - receive: report
    expect:
      count: 1
      method: POST
      path: /tick?x=1
      headers: { User-Agent: Google-Cloud-Scheduler }
      body: { n: 1 }
      status: 200
      token: { signer: google, claims: { aud: orders } }
      that: ["requests.all(r, timestamp(r.token.claims.iat) <= r.time)"]
  - receive: report
    expect: { count: 0 }
"#;
    let ran = ran(fake, text).await;
    ran.passed();
    assert_eq!(ran.state.calls.lock().unwrap()[0], "received projects/p/locations/l/services/report");
    assert_eq!(ran.reports[0].steps[0].exchanges[0].request_body, "{\"n\": 1}");
}

#[tokio::test]
async fn calls_of_our_own_reach_the_site() {
    let text = "scenario: a\nworlds: [offline]\ngiven: { issuers: { corp: {} } }\nsteps:\n  - call: rig.issuers.patch\n    with: { name: corp, misbehaves: keys-unreachable }\n  - call: rig.keys.rotate\n    with: { of: google }\n";
    let ran = ran(Fake::new(), text).await;
    ran.passed();
    let calls = ran.state.calls.lock().unwrap();
    assert_eq!(calls[..2], ["issuer corp {\"misbehaves\":\"keys-unreachable\"}", "keys google"]);
}

#[tokio::test]
async fn a_site_that_cannot_be_reached_fails_the_step_and_no_more() {
    let ran = steps(Fake::new(), "  - http: GET https://nowhere.example/\n    expect: { status: 200 }\n").await;
    assert_eq!(ran.messages(), ["GET https://nowhere.example/: nothing is scripted for GET https://nowhere.example/"]);
    assert!(matches!(ran.reports[0].outcome, Outcome::Failed));
}
