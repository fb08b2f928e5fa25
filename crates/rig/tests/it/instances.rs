//! Commands that the rig starts behind a service, and the account that they call others as.

use std::process::Command;

use serde_json::{Value, json};
use tokenrig::{Rig, RigBuilder};

use crate::shop::{CALLER, ORDERS, Shop};

/// A server of Python's own library. It answers every request with what the private service `orders` answers it, which it
/// asks as whom its metadata server says that it is.
const FRONT: &str = r#"
import http.server, os, urllib.error, urllib.request

ORDERS = "https://orders-1071284184436.us-central1.run.app"
IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=" + ORDERS

def fetch(url, headers):
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    except urllib.error.HTTPError as refused:
        answer = refused
    return answer.status, answer.read()

class Front(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, token = fetch("http://" + os.environ["GCE_METADATA_HOST"] + IDENTITY, {"Metadata-Flavor": "Google"})
        status, body = fetch(ORDERS + self.path, {"Authorization": "Bearer " + token.decode()})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Front).serve_forever()
"#;

const SERVICES: &str = "https://run.googleapis.com/v2/projects/shop-test/locations/us-central1/services";
const FRONT_URL: &str = "https://front-1071284184436.us-central1.run.app";

fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn rig() -> RigBuilder {
    Rig::builder().workload("front", json!({ "command": ["python3", "-c", FRONT] }))
}

async fn deploy(shop: &Shop, account: Option<&str>) {
    let template = account.map_or(json!({}), |account| json!({ "serviceAccount": account }));
    let service = json!({ "invokerIamDisabled": true, "template": template });
    let owner = shop.rig.core().owner_token();
    let made = shop.post(&format!("{SERVICES}?serviceId=front"), Some(&owner), &service).await;
    assert_eq!(made.status, 200, "{}", made.body);
}

/// The claims of the last token that `orders` has seen.
fn seen(shop: &Shop) -> Value {
    shop.rig.core().received("orders", 0).unwrap().pop().unwrap()["claims"].clone()
}

#[tokio::test]
async fn a_command_calls_a_private_service_as_its_own_services_account() {
    assert!(has_python(), "this test needs python3");
    let shop = Shop::open(rig()).await;
    deploy(&shop, Some(CALLER)).await;
    let answer = shop.get(&format!("{FRONT_URL}/orders/1"), None).await;
    assert_eq!((answer.status, &answer.body["path"]), (200, &json!("/orders/1")), "{}", answer.body);
    let claims = seen(&shop);
    assert_eq!((&claims["email"], &claims["aud"]), (&json!(CALLER), &json!(ORDERS)));
    shop.rig.stop().await;
}

#[tokio::test]
async fn without_an_account_of_its_own_it_is_the_compute_account_which_may_not_call() {
    assert!(has_python(), "this test needs python3");
    let shop = Shop::open(rig()).await;
    deploy(&shop, None).await;
    assert_eq!(shop.get(FRONT_URL, None).await.status, 403);
    assert_eq!(seen(&shop)["email"], "1071284184436-compute@developer.gserviceaccount.com");
    shop.rig.stop().await;
}
