//! `serve`: a rig that stays up, its environment file, and what it keeps.

use std::{collections::BTreeMap, path::PathBuf};

use rstest::rstest;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, Running, ask, assert_told};

pub(crate) const SHOP: &str = r#"
issuers: { corp: {} }
iam.workloadIdentityPools:
  partners:
    providers:
      corp-oidc:
        oidc: { issuerUri: "${corp.issuer}" }
        attributeMapping: { google.subject: assertion.sub }
iam.serviceAccounts:
  caller:
    displayName: What the workload acts as
    iamPolicy:
      bindings:
        - role: roles/iam.workloadIdentityUser
          members: ["principal://iam.googleapis.com/${partners.name}/subject/alice"]
run.services:
  orders:
    customAudiences: [orders]
    iamPolicy:
      bindings:
        - role: roles/run.invoker
          members: ["serviceAccount:tokenrig-owner@shop-test.iam.gserviceaccount.com"]
"#;

/// A rig that answers, and its environment.
pub(crate) struct Rig {
    pub(crate) running: Running,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Rig {
    /// Serves, and waits for the environment file.
    pub(crate) async fn serve(home: &Home, arguments: &[&str]) -> Self {
        let mut words = vec!["serve", "--env-file", "rig.env"];
        words.extend(arguments);
        let running = Running::start(home.tokenrig(&words));
        let exports = home.appears("rig.env").await;
        let exports = exports.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let variables = exports.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()));
        Self { variables: variables.collect(), running }
    }

    pub(crate) fn control(&self) -> &str {
        &self.variables["TOKENRIG_URL"]
    }

    /// The gateway, as a proxy.
    pub(crate) fn gateway(&self) -> &str {
        &self.variables["HTTPS_PROXY"]
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = ask(self.control(), &format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// What the metadata server says of the owner.
    pub(crate) async fn owner(&self, path: &str) -> String {
        let target = format!("GET /computeMetadata/v1/instance/service-accounts/default/{path}");
        let answer = ask(&self.variables["GCE_METADATA_HOST"], &target, &[("metadata-flavor", "Google")], "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// A POST to one of Google's hosts as the owner.
    pub(crate) async fn post(&self, host: &str, path: &str, body: &Value) -> Value {
        let token: Value = serde_json::from_str(&self.owner("token").await).unwrap();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        let headers = [("host", host), ("authorization", &bearer), ("content-type", "application/json")];
        let answer = ask(self.gateway(), &format!("POST {path}"), &headers, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// A call of the service `orders`; gives the status.
    pub(crate) async fn call_orders(&self, id_token: Option<&str>) -> u16 {
        let bearer = id_token.map(|token| format!("Bearer {token}")).unwrap_or_default();
        let mut headers = vec![("host", "orders-1071284184436.us-central1.run.app")];
        headers.extend(id_token.map(|_| ("authorization", bearer.as_str())));
        ask(self.gateway(), "GET /hello", &headers, "").await.status
    }

    pub(crate) async fn end(self) {
        self.running.signal(Signal::TERM);
        let told = self.running.ended().await;
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
    }
}

#[tokio::test]
async fn the_environment_file_appears_once_the_rig_answers_and_goes_with_it() {
    let home = Home::new();
    home.write("shop.given.yaml", SHOP);
    let running = Running::start(home.tokenrig(&["serve", "--given", "shop.given.yaml", "--env-file", "rig.env"]));
    let exports = home.appears("rig.env").await;
    let control = exports.lines().find_map(|line| line.strip_prefix("export TOKENRIG_URL='")?.strip_suffix('\''));
    let answer = ask(control.unwrap(), "GET /state", &[], "").await;
    assert_eq!(answer.json()["run.services"]["orders"]["customAudiences"], json!(["orders"]));
    running.signal(Signal::TERM);
    assert_told!(running.ended().await, @r#"
    exit: 0
    ──── stdout
    ──── stderr
    "#);
    assert!(!home.path("rig.env").exists());
}

#[tokio::test]
async fn without_a_file_the_environment_is_printed_as_shell_exports() {
    let home = Home::new();
    let mut running = Running::start(home.tokenrig(&["serve"]));
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.starts_with("export no_proxy=")) {
        lines.push(running.line().await);
    }
    assert!(lines.iter().all(|line| line.starts_with("export ") || line.starts_with("unset ")), "{lines:?}");
    assert!(lines.contains(&"unset CLOUDSDK_AUTH_ACCESS_TOKEN".to_owned()), "{lines:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.ended().await.code, Some(0));
    assert_eq!(home.temporary(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_shell_that_reads_the_file_has_the_whole_environment() {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    let mut shell = tokio::process::Command::new("sh");
    let script = ". ./rig.env; echo ${CLOUDSDK_AUTH_ACCESS_TOKEN-none} $TOKENRIG_URL $GOOGLE_CLOUD_PROJECT";
    shell.args(["-euc", script]).env("CLOUDSDK_AUTH_ACCESS_TOKEN", "a-real-token").current_dir(home.path(""));
    let told = crate::support::ended(shell).await;
    assert_eq!(told.stdout, format!("none {} shop-test\n", rig.control()));
    rig.end().await;
}

#[tokio::test]
async fn it_listens_where_the_call_says() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let rig = Rig::serve(&home, &["--listen", &free]).await;
    assert_eq!(rig.gateway(), format!("http://{free}"));
    rig.end().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let told = home.call(&["serve", "--listen", &taken.local_addr().unwrap().to_string()]).await;
    assert_told!(told, @r#"
    exit: 3
    ──── stdout
    ──── stderr
    error: listen at 127.0.0.1:PORT: Address already in use (os error 98)
    "#);
}

#[tokio::test]
async fn beyond_loopback_it_would_need_keys_of_its_own() {
    assert_told!(Home::new().call(&["serve", "--listen", "0.0.0.0:0"]).await, @r#"
    exit: 3
    ──── stdout
    ──── stderr
    error: a rig beyond loopback would need keys of its own, and making them is not built yet

    help: listen at an address of 127.0.0.0/8
    "#);
}

#[tokio::test]
async fn a_wrong_given_file_is_told_and_no_environment_file_is_there_not_even_an_old_one() {
    let home = Home::new();
    home.write("shop.given.yaml", "project: { projectId: shop-test, projectNumber: shop }\n");
    // That of a rig which was killed: whoever waits for the file must not read this one.
    home.write("rig.env", "export TOKENRIG_URL='http://127.0.0.1:1'\n");
    let told = home.call(&["serve", "--given", "shop.given.yaml", "--env-file", "rig.env"]).await;
    assert_told!(told, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error[given::project-number]: a project's number is digits
     --> shop.given.yaml:1:49
      |
    1 | project: { projectId: shop-test, projectNumber: shop }
      |                                                 ^^^^
      |
    help: write it in quotes, for example "1071284184436"
    "#);
    assert!(!home.path("rig.env").exists());
}

#[rstest]
#[case::sigterm(Signal::TERM)]
#[case::ctrl_c(Signal::INT)]
#[tokio::test]
async fn it_ends_cleanly_when_asked_to(#[case] signal: Signal) {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    assert!(!home.temporary().is_empty());
    rig.running.signal(signal);
    assert_eq!(rig.running.ended().await.code, Some(0));
    assert_eq!(home.temporary(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_clock_runs_on_from_where_the_call_says() {
    let home = Home::new();
    let rig = Rig::serve(&home, &["--now", "2031-03-02T09:00:00Z"]).await;
    let token = rig.owner("identity?audience=orders").await;
    let answer = ask(rig.control(), "POST /clock/advance", &[], r#"{"to":"2031-03-03T00:00:00Z"}"#).await;
    assert!(answer.json()["now"].as_str().unwrap().starts_with("2031-03-03T00:00:0"), "{}", answer.body);
    assert_ne!(rig.owner("identity?audience=orders").await, token);
    rig.end().await;
}

#[tokio::test]
async fn what_is_saved_is_the_same_rig_after_a_restart() {
    let home = Home::new();
    home.write("shop.given.yaml", SHOP);
    let rig = Rig::serve(&home, &["--given", "shop.given.yaml", "--save", "saved.json"]).await;
    let account = json!({ "accountId": "later-on", "serviceAccount": { "displayName": "Made while it ran" } });
    rig.post("iam.googleapis.com", "/v1/projects/shop-test/serviceAccounts", &account).await;
    let key_path = "/v1/projects/shop-test/serviceAccounts/later-on@shop-test.iam.gserviceaccount.com/keys";
    rig.post("iam.googleapis.com", key_path, &json!({})).await;
    let functions = "/v2/projects/shop-test/locations/us-central1/functions?functionId=";
    let first = json!({ "environment": "GEN_1", "description": "An older one" });
    rig.post("cloudfunctions.googleapis.com", &format!("{functions}first"), &first).await;
    let second = json!({ "environment": "GEN_2", "serviceConfig": { "environmentVariables": { "A": "1" } } });
    rig.post("cloudfunctions.googleapis.com", &format!("{functions}second"), &second).await;
    let id_token = rig.owner("identity?audience=orders").await;
    assert_eq!(rig.call_orders(Some(&id_token)).await, 200);
    let state = rig.get("/state").await;
    let saved = &state["cloudfunctions.functions"];
    assert_eq!((&saved["first"]["environment"], &saved["second"]["environment"]), (&json!("GEN_1"), &json!("GEN_2")));
    assert_eq!(saved["second"]["serviceConfig"]["environmentVariables"], json!({ "A": "1" }));
    assert_eq!(state["run.services"]["second"]["labels"], json!({ "goog-managed-by": "cloudfunctions" }));
    rig.end().await;
    assert_eq!(serde_json::from_str::<Value>(&home.read("saved.json")).unwrap(), state);

    let again = Rig::serve(&home, &["--given", "saved.json", "--save", "saved.json"]).await;
    assert_eq!(again.get("/state").await, state);
    assert_eq!(again.call_orders(Some(&id_token)).await, 200, "the rig's seed makes the same keys");
    again.end().await;
}

#[tokio::test]
async fn a_change_is_saved_while_the_rig_runs_so_that_a_kill_loses_nothing() {
    let home = Home::new();
    let rig = Rig::serve(&home, &["--save", "saved.json"]).await;
    rig.post("iam.googleapis.com", "/v1/projects/shop-test/serviceAccounts", &json!({ "accountId": "later-on" })).await;
    crate::support::until("the account is saved", || home.read("saved.json").contains("later-on").then_some(())).await;
    rig.running.signal(Signal::KILL);
    rig.running.ended().await;
    let saved: Value = serde_json::from_str(&home.read("saved.json")).unwrap();
    assert_eq!(saved["iam.serviceAccounts"]["later-on"], json!({}));
}

#[tokio::test]
async fn a_token_of_another_rig_has_an_unknown_key() {
    let homes = [Home::new(), Home::new()];
    for home in &homes {
        home.write("shop.given.yaml", SHOP);
    }
    let [one, other] = [
        Rig::serve(&homes[0], &["--given", "shop.given.yaml"]).await,
        Rig::serve(&homes[1], &["--given", "shop.given.yaml"]).await,
    ];
    let id_token = one.owner("identity?audience=orders").await;
    assert_eq!(one.call_orders(Some(&id_token)).await, 200);
    assert_eq!(other.call_orders(Some(&id_token)).await, 401);
    let decisions = other.get("/decisions").await;
    let last = decisions["decisions"].as_array().unwrap().last().unwrap();
    let failed = last["checks"].as_array().unwrap().iter().find(|check| check["ok"] == json!(false)).unwrap();
    assert_eq!(failed["name"], "signature", "{last}");
    one.end().await;
    other.end().await;
}
