//! A rig with what federation to Cloud Run needs, put in place by Google's own admin calls.

use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Map, Value, json};
use tokenrig::{IssuerSpec, MintOrder, Rig, RigBuilder};

pub(crate) const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";
pub(crate) const POOL: &str = "projects/1071284184436/locations/global/workloadIdentityPools/partners";
pub(crate) const ORDERS: &str = "https://orders-1071284184436.us-central1.run.app";

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// A member of the body of an answer that went well.
    pub(crate) fn text(&self, member: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body[member].as_str().unwrap_or_else(|| panic!("no `{member}`: {}", self.body)).to_owned()
    }
}

/// One rig and a client of it.
pub(crate) struct Shop {
    pub(crate) rig: Rig,
}

impl Shop {
    /// Opens it and puts everything in place.
    pub(crate) async fn open(builder: RigBuilder) -> Self {
        let rig = builder.issuer(IssuerSpec::new("corp")).start().await;
        let shop = Self { rig };
        let owner = shop.rig.core().owner_token();
        let iam = "https://iam.googleapis.com/v1";
        let pools = format!("{iam}/projects/shop-test/locations/global/workloadIdentityPools");
        shop.put(&owner, &format!("{pools}?workloadIdentityPoolId=partners"), json!({})).await;
        let provider = json!({
            "oidc": { "issuerUri": "https://corp.idp.tokenrig.test" },
            "attributeMapping": { "google.subject": "assertion.sub" },
        });
        shop.put(&owner, &format!("{pools}/partners/providers?workloadIdentityPoolProviderId=corp-oidc"), provider)
            .await;
        let accounts = format!("{iam}/projects/shop-test/serviceAccounts");
        shop.put(&owner, &accounts, json!({ "accountId": "caller" })).await;
        let alice = format!("principal://iam.googleapis.com/{POOL}/subject/alice");
        let policy = binding("roles/iam.workloadIdentityUser", &alice);
        shop.put(&owner, &format!("{accounts}/{CALLER}:setIamPolicy"), policy).await;
        let services = "https://run.googleapis.com/v2/projects/shop-test/locations/us-central1/services";
        let template = json!({ "template": { "containers": [{ "image": "example.com/orders" }] } });
        shop.put(&owner, &format!("{services}?serviceId=orders"), template).await;
        let policy = binding("roles/run.invoker", &format!("serviceAccount:{CALLER}"));
        shop.put(&owner, &format!("{services}/orders:setIamPolicy"), policy).await;
        shop
    }

    async fn put(&self, owner: &str, url: &str, body: Value) {
        let answer = self.post(url, Some(owner), &body).await;
        assert_eq!(answer.status, 200, "{url}: {}", answer.body);
    }

    pub(crate) async fn post(&self, url: &str, bearer: Option<&str>, body: &Value) -> Answer {
        self.send("POST", url, bearer, body.to_string()).await
    }

    pub(crate) async fn get(&self, url: &str, bearer: Option<&str>) -> Answer {
        self.send("GET", url, bearer, String::new()).await
    }

    async fn send(&self, verb: &str, url: &str, bearer: Option<&str>, body: String) -> Answer {
        let mut request = Request::builder().method(verb).uri(url).header("content-type", "application/json");
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let answer = self.rig.dialer().send(request.body(Full::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// A token of the workload's own provider.
    pub(crate) fn subject_token(&self, subject: &str) -> String {
        let audience = format!("https://iam.googleapis.com/{POOL}/providers/corp-oidc");
        let claims: Map<String, Value> = [("sub", json!(subject)), ("aud", json!(audience))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.rig.core().issuers().mint(MintOrder::new("corp", claims)).unwrap()
    }

    /// What Google's STS says to it.
    pub(crate) async fn exchange(&self, subject_token: &str) -> Answer {
        let body = json!({
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": format!("//iam.googleapis.com/{POOL}/providers/corp-oidc"),
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "subjectToken": subject_token,
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
        });
        self.post("https://sts.googleapis.com/v1/token", None, &body).await
    }

    /// What IAM Credentials says to somebody who wants an ID token of the caller.
    pub(crate) async fn id_token(&self, bearer: &str, audience: &str) -> Answer {
        let url =
            format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{CALLER}:generateIdToken");
        self.post(&url, Some(bearer), &json!({ "audience": audience, "includeEmail": true })).await
    }

    /// Every token of the flow, in its order: subject token, federated token, ID token.
    pub(crate) async fn tokens(&self) -> [String; 3] {
        let subject = self.subject_token("alice");
        let federated = self.exchange(&subject).await.text("access_token");
        let id_token = self.id_token(&federated, ORDERS).await.text("token");
        [subject, federated, id_token]
    }

    /// The check that failed in the last decision.
    pub(crate) fn failed(&self) -> Option<String> {
        let last = self.rig.core().cloud().decisions().last()?;
        last.failed().map(|check| check.name.to_string())
    }
}

fn binding(role: &str, member: &str) -> Value {
    json!({ "policy": { "bindings": [{ "role": role, "members": [member] }] } })
}
