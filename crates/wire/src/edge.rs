//! One host's methods: finds the method, judges the caller, runs the handler, keeps the decision.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::FutureExt;
use http::{HeaderMap, Request, Response};
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Decision, Refused};
use tokenrig_protos::{Host, Method, Verb};

use crate::{api::Handler, call::Call, credential, grpc, json::quoted, refusals, rest};

/// The longest body, of both wires.
pub(crate) const MAX_BODY: usize = 10 * 1024 * 1024;

/// The methods of one host and who plays them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    host: &'static Host,
    handlers: HashMap<&'static str, Handler>,
}

impl Edge {
    pub(crate) fn new(cloud: Cloud, host: &'static Host, handlers: HashMap<&'static str, Handler>) -> Self {
        Self(Arc::new(Inner { cloud, host, handlers }))
    }

    pub(crate) fn host(&self) -> &'static Host {
        self.0.host
    }

    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        if grpc::is_grpc(request.headers()) {
            grpc::answer(self, request).await
        } else {
            rest::answer(self, request).await
        }
    }

    /// A call that came by gRPC.
    pub(crate) async fn grpc_call(&self, path: &str, headers: HeaderMap, message: Bytes) -> Result<Bytes, Refused> {
        match self.0.host.by_grpc_path(path) {
            Some(method) => self.call((method, Verb::Post), headers, || Ok(message)).await,
            None => Err(self.unplayed("POST", path)),
        }
    }

    /// A call of a known method: credential and scope are judged before the request is looked at.
    pub(crate) async fn call(
        &self,
        (method, verb): (&'static Method, Verb),
        headers: HeaderMap,
        encode: impl FnOnce() -> Result<Bytes, Box<Check>>,
    ) -> Result<Bytes, Refused> {
        let cloud = &self.0.cloud;
        let mut decision = Decision::of(method.surface, method.id);
        let Some(handler) = self.0.handlers.get(method.id) else {
            cloud.unplayed().count(method.id.to_owned());
            decision.add(
                Check::named("request")
                    .found(method.id)
                    .holds(false)
                    .or_answer(|| refusals::UNSERVED.refuse("api-unserved").with("id", method.id)),
            );
            return self.refused(decision);
        };
        let now = cloud.now();
        let caller = match credential::judge(cloud, method, &headers, &mut decision) {
            Some(caller) => caller,
            None => return self.refused(decision),
        };
        let bytes = match encode() {
            Ok(bytes) => bytes,
            Err(check) => {
                decision.add(*check);
                return self.refused(decision);
            }
        };
        let call = Call::new(cloud.clone(), caller, (method, verb), headers, now, decision);
        if let Err(refused) = credential::user_project(&call) {
            return self.finish(&call, Err(refused));
        }
        let work = AssertUnwindSafe(async { handler(call.clone(), bytes).await });
        let answer = work.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(method = method.id, "a handler panicked");
            Err(refusals::INTERNAL.refuse("api-internal"))
        });
        self.finish(&call, answer)
    }

    /// Nothing of the table has this path.
    pub(crate) fn unplayed(&self, verb: &str, path: &str) -> Refused {
        let (verb, path, host) = (short(verb), short(path), self.0.host.name);
        self.0.cloud.unplayed().count(format!("{verb} {host}{path}"));
        let refused =
            refusals::UNPLAYED.refuse("api-unplayed").with("verb", &verb).with("host", host).with("path", &path);
        let answer = refused.clone();
        let decision = Decision::of("google-apis", format!("{verb} {path}"))
            .check(|| Check::named("request").found(format!("{verb} {host}{path}")).holds(false).or_answer(|| answer));
        self.0.cloud.decisions().record(decision, refused.code().http());
        refused
    }

    /// Keeps a decision whose last check failed.
    fn refused(&self, decision: Decision) -> Result<Bytes, Refused> {
        let verdict = decision.verdict();
        let refused = verdict.err().unwrap_or_else(|| refusals::INTERNAL.refuse("api-internal"));
        self.0.cloud.decisions().record(decision, refused.form().status);
        Err(refused)
    }

    /// Keeps the decision of a call before its answer goes out.
    fn finish(&self, call: &Call, answer: Result<Bytes, Refused>) -> Result<Bytes, Refused> {
        let mut decision = call.decision();
        let status = match &answer {
            Ok(_) => 200,
            Err(refused) => {
                if decision.failed().and_then(Check::refused) != Some(refused) {
                    // The handler refused without a check: the decision names the answer all the same.
                    decision.add(Check::named("resource").holds(false).or_answer(|| refused.clone()));
                }
                refused.form().status
            }
        };
        self.0.cloud.decisions().record(decision, status);
        answer
    }
}

/// A verb or path as it may stand in a message.
fn short(text: &str) -> String {
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= 256).last().unwrap_or_default();
    if text.len() <= 256 { quoted(text) } else { format!("{}…", quoted(text.get(..end).unwrap_or_default())) }
}
