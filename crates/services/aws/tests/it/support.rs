//! A cloud with one AWS account, and how to ask AWS.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use tokenrig_aws::Settings;
use tokenrig_clock::ManualClock;
use tokenrig_cloud::{
    AwsKind, AwsPrincipal, AwsRequest, AwsScope, Cloud, Foundation, NewAwsPrincipal, amz_date, aws_authorization,
};
use tokenrig_wire::HostTable;
use tower::ServiceExt;

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<ManualClock>,
    hosts: HostTable,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as _));
        cloud.aws().add("123456789012", Some("eu-central-1")).unwrap();
        let role = NewAwsPrincipal {
            account: "123456789012".to_owned(),
            kind: AwsKind::Role,
            name: "ci".to_owned(),
            session: None,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
        };
        cloud.aws().add_principal(role).unwrap();
        let hosts = tokenrig_wire::assemble(&cloud, vec![tokenrig_aws::service(&cloud, settings)]);
        Self { cloud, clock, hosts }
    }

    pub(crate) fn role(&self) -> AwsPrincipal {
        self.cloud.aws().principal("123456789012/ci").unwrap()
    }

    pub(crate) async fn ask(&self, verb: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
        let host = url.split('/').nth(2).unwrap();
        let mut request = Request::builder().method(verb).uri(url).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router = self.hosts.find(host).expect("the host is played");
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// A signed POST to a URL.
    pub(crate) async fn signed(&self, url: &str, more: &[(&str, &str)]) -> Answer {
        let role = self.role();
        let date = amz_date(self.cloud.now());
        let mut request = AwsRequest::post(url).unwrap();
        request.put("x-amz-date", &date);
        let token = role.session_token.as_ref().unwrap().reveal();
        request.put("x-amz-security-token", token);
        let scope = AwsScope::sts(&date, "eu-central-1");
        let signed = aws_authorization(&request, &role.access_key_id, role.secret_access_key.reveal(), &scope);
        let mut headers = vec![("x-amz-date", &*date), ("x-amz-security-token", token), ("authorization", &*signed)];
        headers.extend(more);
        self.ask("POST", url, &headers).await
    }

    /// The newest decision's refusal.
    pub(crate) fn refused(&self) -> String {
        self.cloud.decisions().last().unwrap().refusal.unwrap_or_default()
    }
}
