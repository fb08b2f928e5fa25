//! The front door: may this request come in?

pub(crate) mod entrance;
mod token;

use std::fmt;

use serde_json::json;
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Jws, Map, peek};
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
    /// The opened token, whether or not it was let in.
    pub(crate) token: Option<Opened>,
    /// Whether the signature was found good; `None` if nobody looked, because everybody may come in.
    pub(crate) signature: Option<bool>,
}

/// A token that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) header: Map,
    pub(crate) claims: Map,
}

/// What all checks read.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Deployed,
    pub(crate) entrance: &'static Entrance,
    pub(crate) request: &'a Presented,
    pub(crate) cloud: &'a Cloud,
    pub(crate) settings: &'a Settings,
    pub(crate) attributes: Attributes,
}

/// The checks of the door, in its order. The first that fails gives the answer; the others are made too where they can
/// be, so that a person mends everything at once.
pub(crate) fn admit(
    service: &Deployed,
    entrance: &'static Entrance,
    request: &Presented,
    cloud: &Cloud,
    settings: &Settings,
) -> Admission {
    let attributes =
        Attributes { time: cloud.now(), path: Some(request.path.clone()), host: Some(request.host.clone()) };
    let asked = Asked { service, entrance, request, cloud, settings, attributes };
    let mut decision = Decision::of(entrance.surface, entrance.permission);
    decision.add(ingress(&asked));
    if let Some(check) = everybody(&asked) {
        decision.add(check);
        let opened = request.credential.as_ref().and_then(Credential::bearer).and_then(peek);
        let token = opened.map(|opened| Opened { header: opened.header, claims: opened.claims });
        return Admission { decision, token, signature: None };
    }
    let (check, jws) = token::credential(&asked);
    decision.add(check);
    let Some((jws, claims)) = jws else { return Admission { decision, token: None, signature: Some(false) } };
    let ours = decision.add(token::issuer(&asked, &claims));
    let signed = decision.add(token::signature(&asked, &jws));
    decision.add(token::audience(&asked, &claims));
    decision.add(token::times(&asked, &claims));
    // Whom an unverified token names is nobody's business.
    if ours && signed {
        decision.add(token::permission(&asked, &claims));
    }
    let token = Some(Opened { header: jws.header().clone(), claims });
    Admission { decision, token, signature: Some(signed) }
}

/// Whether requests may come from there.
fn ingress(asked: &Asked<'_>) -> Check {
    let told = &asked.service.resource;
    let (inside, from) = (asked.request.inside, if asked.request.inside { "inside" } else { "outside" });
    let open = match told.ingress() {
        IngressTraffic::Unspecified | IngressTraffic::All => true,
        IngressTraffic::InternalOnly | IngressTraffic::InternalLoadBalancer => inside,
        IngressTraffic::None => false,
    };
    let check = Check::named("ingress")
        .expected("a request from where the service takes requests")
        .found(json!({
            "from": from,
            "ingress": told.ingress().as_str_name(),
            "defaultUriDisabled": told.default_uri_disabled,
        }))
        .holds(open && !told.default_uri_disabled);
    entrance::or(check, asked.entrance.ingress, &asked.request.path).mend(|| {
        if told.default_uri_disabled {
            "clear `defaultUriDisabled` of the service, or call it by another address".to_owned()
        } else {
            format!(
                "set `ingress` of the service to INGRESS_TRAFFIC_ALL, or call it from inside: it is {}",
                told.ingress().as_str_name()
            )
        }
    })
}

/// The check of a service that everybody may invoke; `None` if a credential is needed.
fn everybody(asked: &Asked<'_>) -> Option<Check> {
    if asked.service.resource.invoker_iam_disabled {
        let check = Check::named("permission").expected("anybody");
        return Some(check.found("`invokerIamDisabled` is set on the service"));
    }
    let invoke = asked.entrance.permission;
    let verdict = asked.cloud.permit_identity(&Identity::Anonymous, invoke, &asked.service.policy, &asked.attributes);
    verdict.granted().then(|| verdict.check(&Identity::Anonymous, invoke))
}

/// A token as far as it can be opened.
pub(crate) type Parsed = (Jws, Map);

#[cfg(test)]
mod tests;
