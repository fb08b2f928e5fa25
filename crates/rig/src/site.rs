//! A rig as the runner sees it: the site of a case, and what a given document is put in place through.

use std::{io, path::Path, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{HeaderName, HeaderValue, Method, Version};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use serde_json::{Map, Value, json};
use tokenrig_clock::{
    Timestamp,
    real::{Stopwatch, within},
};
use tokenrig_cloud::Project;
use tokenrig_cloudrun::WorkloadFault;
use tokenrig_decision::Record;
use tokenrig_gateway::DialError;
use tokenrig_idp::{IssuerPatch, KeyChoice, MintOrder as IdpOrder};
use tokenrig_runner::{
    Advanced, Answer, Facts, MintKey, MintOrder, Opened, Protocol, Received, Request, Site, SiteFault, Who, redact,
};

use crate::{aws, people, rig::Rig};

/// Kinds of workloads that every rig plays. Others may be missing from a build or a machine.
const OWN_KINDS: [&str; 3] = ["url", "answers", "command"];

/// How a request reaches the rig.
#[derive(Clone, Copy)]
enum Way {
    /// As that of any client: by TLS.
    Gateway,
    /// Without a connection.
    Inside,
}

impl Rig {
    async fn exchange(&self, request: Request, way: Way) -> Result<Answer, SiteFault> {
        let watch = Stopwatch::start();
        let shown = redact::text(&request.url).into_owned();
        let target = |why: String| SiteFault::Target { url: shown.clone(), why };
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| target(format!("`{}` is no HTTP method", request.method)))?;
        let mut built = http::Request::builder().method(method).uri(&request.url);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| target(format!("`{name}` is no header")))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| target(format!("the value of header `{name}` holds bytes that HTTP does not allow")))?;
            built = built.header(name, value);
        }
        let built = built.body(Full::new(Bytes::from(request.body))).map_err(|fault| target(fault.to_string()))?;
        let response = match (way, request.protocol) {
            (Way::Inside, _) => self.inside().send(built).await,
            // Trailers are HTTP/2's; the dialer takes it wherever the gateway selects it, which it always does.
            (Way::Gateway, Protocol::Any | Protocol::Http2) => self.dialer().send(built).await,
        };
        let response = response.map_err(|fault| told(&fault, &shown))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, Answer::LIMIT).collect().await.map_err(|fault| {
            if fault.is::<LengthLimitError>() {
                SiteFault::TooLarge(Answer::LIMIT)
            } else {
                SiteFault::Connection(format!("the answer broke off: {fault}"))
            }
        })?;
        let trailers = body.trailers().map(pairs).unwrap_or_default();
        Ok(Answer {
            status: parts.status.as_u16(),
            version: if parts.version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
            headers: pairs(&parts.headers),
            body: body.to_bytes().to_vec(),
            trailers,
            took: watch.elapsed(),
        })
    }

    fn sent(&self, request: Request, way: Way) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        let deadline: Duration = request.deadline;
        async move {
            // What the step before set off is done before this one is.
            self.core().settle().await;
            within(deadline, self.exchange(request, way)).await.unwrap_or(Err(SiteFault::Deadline(deadline)))
        }
        .boxed()
    }

    fn rotate(&self, of: &str) -> Result<(), SiteFault> {
        let core = self.core();
        let cloud = core.cloud();
        if of == "google" {
            cloud.mint().rotate_google_keys();
            return Ok(());
        }
        if let Some(issuer) = core.issuers().list().into_iter().find(|issuer| issuer.id == of || issuer.issuer == of) {
            let rotated = core.issuers().rotate(&issuer.id);
            return rotated.map(drop).map_err(|fault| SiteFault::Other(fault.to_string()));
        }
        let account = cloud.accounts().get(of).filter(|account| account.deleted.is_none());
        let unknown =
            || SiteFault::Unknown(format!("`{of}` is neither `google`, nor a service account, nor an issuer"));
        let account = account.ok_or_else(unknown)?;
        cloud.accounts().rotate_system_key(&account);
        Ok(())
    }
}

fn pairs(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn told(fault: &DialError, url: &str) -> SiteFault {
    match fault {
        DialError::Target(_) | DialError::NotPlayed(_) => {
            SiteFault::Target { url: url.to_owned(), why: fault.to_string() }
        }
        DialError::Late { limit, .. } => SiteFault::Deadline(*limit),
        DialError::TooLong { limit, .. } => SiteFault::TooLarge(*limit),
        other => SiteFault::Connection(other.to_string()),
    }
}

impl Site for Rig {
    fn facts(&self) -> Facts {
        let cloud = self.core().cloud();
        let project = cloud.project();
        let agents = Project::agents().iter();
        let issuers = self.core().issuers().list().into_iter().map(|issuer| {
            let mut fields = Map::new();
            fields.insert("issuer".to_owned(), json!(issuer.issuer));
            (issuer.id, fields)
        });
        let mut facts = Facts {
            project_id: project.id.clone(),
            project_number: project.number.clone(),
            location: project.location.clone(),
            organization: cloud.organization().map(str::to_owned),
            agents: agents.map(|agent| (agent.service.to_owned(), agent.email(&project.number))).collect(),
            issuers: issuers.collect(),
            ..Facts::default()
        };
        aws::tell(cloud, &mut facts);
        people::tell(cloud, &mut facts);
        facts
    }

    fn now(&self) -> Timestamp {
        self.core().cloud().now()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.sent(request, Way::Gateway)
    }

    fn place(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.sent(request, Way::Inside)
    }

    fn mint(&self, order: MintOrder) -> BoxFuture<'_, Result<String, SiteFault>> {
        if let Some(principal) = self.core().cloud().aws().principal(&order.issuer) {
            let signed = aws::sign(self.core().cloud(), &principal, &order);
            return async move { signed.map_err(|fault| SiteFault::Other(fault.to_string())) }.boxed();
        }
        let key = match order.key {
            MintKey::Current => KeyChoice::Present,
            MintKey::Named(name) => KeyChoice::Named(name),
        };
        let MintOrder { issuer, header, claims, key: _, flaw } = order;
        let order = IdpOrder { header, key, flaw, exact: true, ..IdpOrder::new(issuer, claims) };
        let minted = self.core().issuers().mint(order);
        async move { minted.map_err(|fault| SiteFault::Unknown(fault.to_string())) }.boxed()
    }

    fn credentials(&self, who: Who) -> BoxFuture<'_, Result<String, SiteFault>> {
        let token = match who {
            Who::Owner => Ok(self.core().owner_token()),
            Who::Account(email) => self
                .core()
                .account_token(&email)
                .ok_or_else(|| SiteFault::Unknown(format!("there is no service account `{email}`"))),
        };
        async move { token }.boxed()
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, SiteFault>> {
        async move {
            let advanced = self.core().advance(to).await;
            let (now, in_flight) = advanced.map_err(|fault| SiteFault::Other(fault.to_string()))?;
            Ok(Advanced { now, in_flight })
        }
        .boxed()
    }

    fn decisions(&self, since: u64) -> BoxFuture<'_, Option<Vec<Record>>> {
        let decisions = self.core().cloud().decisions().since(since, None);
        async move { Some(decisions) }.boxed()
    }

    fn received(&self, service: &str, since: u64) -> BoxFuture<'_, Result<Vec<Received>, SiteFault>> {
        let service = service.to_owned();
        async move {
            let core = self.core();
            core.settle().await;
            let received = core.cloud_run().received(&service, since);
            let received = received.ok_or_else(|| SiteFault::Unknown(format!("there is no service `{service}`")));
            let decisions = core.cloud().decisions().since(0, None);
            let whole = received?.into_iter().map(|one| Received {
                seq: one.seq,
                at: one.at,
                method: one.method,
                path: one.path,
                headers: one.headers,
                body: one.body,
                status: one.status,
                token: one.token.map(|(header, claims)| Opened { header, claims }),
                signature_checked: one.signature,
                decision: decisions.iter().find(|record| record.seq == one.decision).cloned(),
            });
            Ok(whole.collect())
        }
        .boxed()
    }

    /// What leads to the rig, and nothing else: nobody's own environment is known here.
    fn environment(&self, _needs: &[String]) -> BoxFuture<'_, Result<Vec<(String, String)>, SiteFault>> {
        let variables = Rig::environment(self).map(|environment| environment.set);
        async move { variables.map_err(|fault| SiteFault::Other(fault.to_string())) }.boxed()
    }

    fn set_workload(&self, service: &str, workload: &Value) -> BoxFuture<'_, Result<(), SiteFault>> {
        let set = self.core().cloud_run().set_workload(service, workload);
        let told = |fault: WorkloadFault| match &fault {
            // What the file says is wrong, wherever it is played.
            WorkloadFault::Form | WorkloadFault::UnknownIssuer(_) => SiteFault::Other(fault.to_string()),
            WorkloadFault::Told { kind, .. } if OWN_KINDS.contains(&kind.as_str()) => {
                SiteFault::Other(fault.to_string())
            }
            _ => SiteFault::Unsupported(fault.to_string()),
        };
        async move { set.map_err(told) }.boxed()
    }

    fn patch_issuer(&self, issuer: &str, fields: &Map<String, Value>) -> BoxFuture<'_, Result<(), SiteFault>> {
        let patched = IssuerPatch::read(fields)
            .and_then(|patch| self.core().issuers().patch(issuer, patch))
            .map(drop)
            .map_err(|fault| SiteFault::Other(fault.to_string()));
        async move { patched }.boxed()
    }

    fn rotate_keys(&self, of: &str) -> BoxFuture<'_, Result<(), SiteFault>> {
        let rotated = self.rotate(of);
        async move { rotated }.boxed()
    }

    fn leave<'a>(&'a self, folder: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        let core = self.core();
        // What the rig holds can be looked at in a rig: `serve --given FILE`. Keys of a rig that has ended open nothing.
        let state = format!("{:#}\n", core.state());
        let decisions = json!({ "decisions": core.cloud().decisions().since(0, None) });
        async move {
            std::fs::write(folder.join("state.given.json"), state)?;
            std::fs::write(folder.join("decisions.json"), format!("{decisions:#}\n"))
        }
        .boxed()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), SiteFault>> {
        async move {
            self.stop().await;
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use tokenrig_idp::Misbehaviour;
    use tokenrig_scenario::MISBEHAVIOURS;

    #[test]
    fn scenarios_know_every_way_to_misbehave_by_the_name_that_issuers_have_for_it() {
        assert_eq!(MISBEHAVIOURS, Misbehaviour::ALL.iter().map(|word| word.name()).collect::<Vec<_>>());
    }
}
