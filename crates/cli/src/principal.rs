//! `explain principal`: whom a token names at a provider of a given document, and which bindings name that.

use std::io;

use serde_json::Value;
use tokenrig_cloud::{Provider, ProviderConfig};
use tokenrig_explain::{Exchanged, OfProject, Principal, Written};
use tokenrig_jose::{Algorithm, Jws, Map, peek, pool, protected_header, sign};
use tokenrig_offline::RigSite;
use tokenrig_policy::PoolRef;
use tokenrig_runner::{given::GivenMember, redact};
use tokenrig_scenario::Sources;

use crate::{
    arguments::{Explain, Standing},
    door, inherited,
    places::{self, Place},
    run::look,
    standing, tell,
};

/// What `aws sts get-caller-identity` prints, and what the claims of it are called.
const AWS: [(&str, &str); 3] = [("Account", "account"), ("Arn", "arn"), ("UserId", "userid")];

/// Exit codes: 0 if it is taken and named by a binding, 1 if not, 2 if the call or the given document is wrong, 3 if no rig
/// starts. `title` is what the token is, in a line.
pub(crate) async fn shown(program: &str, wanted: &Explain, token: &str, title: &str) -> u8 {
    if wanted.given.is_empty() {
        tell::error(
            "there is no given document that says what the provider maps",
            Some(
                "`explain principal FILE --at PROVIDER --given FILE`: what gcloud prints of pool and provider is one, too",
            ),
        );
        return 2;
    }
    let standing = Standing { given: wanted.given.clone(), now: wanted.now, log: None };
    let look = look(program, false, io::stdout());
    let started = standing::start_without_policies(&standing, inherited::of_caller(), &look).await;
    let (site, members, sources) = match started {
        Ok(started) => started,
        Err(code) => return code,
    };
    let code = match found(&site, wanted.at.as_deref(), token, title, written(members, &sources)).await {
        Ok(found) => {
            let text = if wanted.json { format!("{:#}\n", found.to_json()) } else { found.to_string() };
            tell::data(&text, u8::from(!found.good()))
        }
        Err(why) => {
            tell::error(&why, Some(&places::help(site.rig())));
            2
        }
    };
    let _ = site.stop().await;
    code
}

fn written(members: Vec<GivenMember>, sources: &Sources) -> Vec<Written> {
    let place = |member: &GivenMember| {
        let source = sources.get(member.at.source);
        source.map(|source| format!("{}:{}", source.name, source.position(member.at.start))).unwrap_or_default()
    };
    let written = |member: GivenMember| Written {
        at: place(&member),
        resource: member.resource,
        role: member.role,
        member: member.member,
        condition: member.condition,
    };
    members.into_iter().map(written).collect()
}

async fn found(
    site: &RigSite,
    at: Option<&str>,
    token: &str,
    title: &str,
    written: Vec<Written>,
) -> Result<Principal, String> {
    let provider = provider(site, at)?;
    let is_aws = matches!(provider.config, ProviderConfig::Aws { .. });
    if matches!(provider.config, ProviderConfig::Saml { .. }) {
        return Err(format!("`{}` takes SAML assertions, which are not played yet", provider.name()));
    }
    let (claims, shown, title) = match read(token) {
        Read::Token(claims) => (claims, token.to_owned(), title.to_owned()),
        Read::Claims(claims) if is_aws => (claims, String::new(), "what AWS says of a caller".to_owned()),
        // Claims alone, as providers print them: whoever is their issuer signs them.
        Read::Claims(claims) => {
            let header = protected_header(Algorithm::Rs256, "claims-alone");
            let token = sign(&header, &claims, pool::rsa(0));
            (claims, token, "claims, without a token around them".to_owned())
        }
        Read::Nothing => (Map::new(), token.to_owned(), title.to_owned()),
    };
    let claims = if is_aws { of_aws(claims) } else { claims };
    if is_aws && claims.is_empty() {
        return Err(format!(
            "`{}` takes signed requests to AWS, and who signed one, only AWS can say: give what `aws sts \
             get-caller-identity` prints",
            provider.name()
        ));
    }
    let exchanged = if is_aws {
        let unsaid = "whether AWS says so is not checked".to_owned();
        Exchanged { checks: vec![unsaid], ..of_reading(&provider, &claims) }
    } else {
        exchanged(site, &provider, &shown).await?
    };
    let project = site.rig().core().cloud().project();
    let project = OfProject { id: &project.id, number: &project.number };
    Ok(Principal::of(title, &provider, claims, exchanged, written, &project))
}

/// Of AWS only mapping, condition and size are judged.
fn of_reading(provider: &Provider, claims: &Map) -> Exchanged {
    let reading = tokenrig_sts::read(provider, claims);
    let fault = reading.faults.first();
    let state = (!provider.exchanges()).then(|| "the provider or its pool is disabled or deleted".to_owned());
    Exchanged {
        refused: state.or(fault.map(|fault| format!("check `{}`, {}", fault.check, fault.refusal))),
        mend: fault.map(|fault| fault.mend.clone()),
        ..Exchanged::default()
    }
}

/// What the file holds.
enum Read {
    /// A token, whose claims can be read.
    Token(Map),
    /// A JSON object.
    Claims(Map),
    /// Neither.
    Nothing,
}

fn read(token: &str) -> Read {
    if token.starts_with('{') {
        return match serde_json::from_str(token) {
            Ok(Value::Object(claims)) => Read::Claims(claims),
            _ => Read::Nothing,
        };
    }
    let strictly = Jws::parse(token).ok().and_then(|jws| jws.claims().ok().cloned());
    strictly.or_else(|| peek(token).map(|opened| opened.claims)).map_or(Read::Nothing, Read::Token)
}

fn of_aws(claims: Map) -> Map {
    let renamed = claims.into_iter().map(|(name, value)| {
        let known = AWS.iter().find(|(printed, _)| *printed == name);
        (known.map_or(name, |(_, claim)| (*claim).to_owned()), value)
    });
    let known = |name: &str| AWS.iter().any(|(_, claim)| *claim == name);
    renamed.filter(|(name, value)| known(name) && value.is_string()).collect()
}

/// The provider that is meant; the only one if none is named.
fn provider(site: &RigSite, at: Option<&str>) -> Result<Provider, String> {
    let rig = site.rig();
    let providers = rig.providers();
    let Some(at) = at else {
        return match providers.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err("the given documents hold no provider".to_owned()),
            _ => Err("the given documents hold several providers: name one with `--at`".to_owned()),
        };
    };
    let name = match places::find(rig, at)? {
        Place::Provider(name) => name,
        Place::Url(url) => return Err(format!("`{}` is no provider", redact::text(&url))),
    };
    let found = PoolRef::parse_prefix(&name)
        .and_then(|(pool, rest)| rig.core().cloud().pools().provider(&pool, rest.strip_prefix("/providers/")?));
    if let Some(found) = found {
        return Ok(found);
    }
    let project = rig.core().cloud().project();
    let by_id = name.replacen(&format!("projects/{}/", project.id), &format!("projects/{}/", project.number), 1);
    if providers.iter().any(|known| known.name() == by_id) {
        return Err(format!("`{name}` names the project by its id: it is `{by_id}`, by its number"));
    }
    Err(format!("the given documents hold no provider `{}`", redact::text(&name)))
}

/// What an exchange of the token at the provider comes to.
async fn exchanged(site: &RigSite, provider: &Provider, token: &str) -> Result<Exchanged, String> {
    let told = door::judged_at(site, Place::Provider(provider.name()), token).await?;
    let failed: Vec<&str> =
        told.record.checks.iter().filter(|check| !check.ok).map(|check| check.name.as_str()).collect();
    let refused = (!failed.is_empty()).then(|| {
        let checks = if failed.len() == 1 { "check" } else { "checks" };
        let id = told.record.refusal.as_deref().unwrap_or_default();
        format!("{checks} `{}` ({id}, {})", failed.join("`, `"), told.record.answer.status)
    });
    Ok(Exchanged {
        refused,
        unverified: told.unverified(),
        mend: told.record.mend.clone(),
        checks: told.checks(),
        json: told.decision(),
    })
}
