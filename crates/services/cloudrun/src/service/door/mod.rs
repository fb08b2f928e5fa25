//! The front door: may this request come in?

pub(crate) mod entrance;
mod token;

use std::{fmt, sync::Arc};

use serde_json::json;
use tokenrig_cloud::{Cloud, Reached};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{MAX_TOKEN_BYTES, Map, peek};
use tokenrig_policy::{Attributes, Identity};
use tokenrig_protos::google::cloud::run::v2::IngressTraffic;

pub(crate) use self::entrance::Entrance;
use crate::{assumptions::Settings, model::Deployed};

/// What a request shows at the door.
#[derive(Debug)]
pub(crate) struct Presented {
    /// The host without port.
    pub(crate) host: String,
    /// The path without query.
    pub(crate) path: String,
    /// The credential header that counts, if there is one.
    pub(crate) credential: Option<Credential>,
    /// Whether it comes from where Cloud Run takes for inside.
    pub(crate) inside: bool,
}

/// A credential header: `X-Serverless-Authorization` counts before `Authorization`.
pub(crate) struct Credential {
    /// The header's name, lower case.
    pub(crate) header: &'static str,
    /// Its value.
    pub(crate) value: String,
}

impl Credential {
    /// The token of a `Bearer` credential. The scheme's letter case does not matter.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("header", &self.header).finish_non_exhaustive()
    }
}

/// The verdict, and what the credential was found to be.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) decision: Decision,
    /// The token, whether or not it was let in.
    pub(crate) token: Option<Shown>,
    /// Whether the signature was found good; `None` if nobody looked, because everybody may come in.
    pub(crate) signature: Option<bool>,
    /// Whom it let in, as a policy member.
    pub(crate) principal: Option<Arc<str>>,
}

/// A token as it is kept: without its signature, opened when somebody looks. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Shown(Arc<str>);

impl Shown {
    /// Of a text that looks like a token: three parts, of a sane length.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let (signed, _) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        (token.len() <= MAX_TOKEN_BYTES && !header.is_empty() && !claims.contains('.')).then(|| Self(signed.into()))
    }

    /// Its first two parts. They may be something secret that only looks like a token: [`open`](Self::open) tells.
    pub(crate) fn signed(&self) -> &str {
        &self.0
    }

    /// Its header and its claims; `None` if it is no token.
    pub(crate) fn open(&self) -> Option<(Map, Map)> {
        let opened = peek(&format!("{}.", self.0))?;
        Some((opened.header, opened.claims))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shown").field(&self.open()).finish()
    }
}

/// What all checks read.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Arc<Deployed>,
    pub(crate) entrance: &'static Entrance,
    pub(crate) request: &'a Presented,
    pub(crate) cloud: &'a Cloud,
    pub(crate) settings: &'a Settings,
    pub(crate) attributes: Attributes,
    /// The policies that reach the service.
    pub(crate) reached: Reached,
}

/// The checks of the door, in its order. The first that fails gives the answer; the others are made too where they can
/// be, so that a person mends everything at once.
pub(crate) fn admit(
    service: &Arc<Deployed>,
    entrance: &'static Entrance,
    request: &Presented,
    cloud: &Cloud,
    settings: &Settings,
) -> Admission {
    let attributes =
        Attributes { time: cloud.now(), path: Some(request.path.clone()), host: Some(request.host.clone()) };
    let reached = cloud.reached(&service.policy);
    let asked = Asked { service, entrance, request, cloud, settings, attributes, reached };
    let mut decision = Decision::of(entrance.surface, entrance.permission);
    decision.add(ingress(&asked));
    let token = request.credential.as_ref().and_then(Credential::bearer).and_then(Shown::of);
    if let Some((check, principal)) = everybody(&asked) {
        decision.add(check);
        return Admission { decision, token, signature: None, principal };
    }
    let (check, jws) = token::credential(&asked);
    decision.add(check);
    let Some((jws, claims)) = jws.as_ref().and_then(|jws| Some((jws, jws.claims().ok()?))) else {
        return Admission { decision, token: None, signature: Some(false), principal: None };
    };
    let ours = decision.add(token::issuer(&asked, claims));
    let signed = decision.add(token::signature(&asked, jws));
    decision.add(token::audience(&asked, claims));
    decision.add(token::times(&asked, claims));
    let mut principal = None;
    // Whom an unverified token names is nobody's business.
    if ours && signed {
        let (check, member) = token::permission(&asked, claims);
        if decision.add(check) {
            principal = member;
        }
    }
    Admission { decision, token, signature: Some(signed), principal }
}

/// Whether requests may come from there.
fn ingress(asked: &Asked<'_>) -> Check {
    let told = &asked.service.resource;
    let (inside, ingress, disabled) = (asked.request.inside, told.ingress(), told.default_uri_disabled);
    let open = match ingress {
        IngressTraffic::Unspecified | IngressTraffic::All => true,
        IngressTraffic::InternalOnly | IngressTraffic::InternalLoadBalancer => inside,
        IngressTraffic::None => false,
    };
    let check = Check::named("ingress")
        .expects(|| "a request from where the service takes requests".into())
        .finds(move || {
            json!({
                "from": if inside { "inside" } else { "outside" },
                "ingress": ingress.as_str_name(),
                "defaultUriDisabled": disabled,
            })
        })
        .holds(open && !disabled);
    entrance::or(check, asked.entrance.ingress, &asked.request.path).mend(|| {
        if disabled {
            "clear `defaultUriDisabled` of the service, or call it by another address".to_owned()
        } else {
            format!(
                "set `ingress` of the service to INGRESS_TRAFFIC_ALL, or call it from inside: it is {}",
                ingress.as_str_name()
            )
        }
    })
}

/// The check of a service that everybody may invoke, and the member that says so; `None` if a credential is needed. Why
/// it is nobody's who shows none, nobody asks for.
fn everybody(asked: &Asked<'_>) -> Option<(Check, Option<Arc<str>>)> {
    if asked.service.resource.invoker_iam_disabled {
        let check = Check::named("permission").expected("anybody");
        return Some((check.found("`invokerIamDisabled` is set on the service"), None));
    }
    let invoke = asked.entrance.permission;
    let grant = asked.reached.granted(&Identity::Anonymous, invoke, &asked.attributes)?;
    let member: Arc<str> = Identity::Anonymous.as_member().into();
    Some((grant.check(Arc::clone(&member), invoke), Some(member)))
}

#[cfg(test)]
mod tests;
