//! Requests answered in a second.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    thread,
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Map, Value, json};
use tokenrig::MintOrder;
use tokenrig_clock::real::{Stopwatch, within};
use tokenrig_cloud::IdTokenOrder;
use tokenrig_offline::{Inherited, Place, RigSite, open};
use tokenrig_runner::{Foundation, given};
use tokenrig_scenario::read_given;

use crate::{
    child::Programs,
    empty::Empty,
    load::{Outcome, Prepared, Target, drive},
    minting::Minting,
    round::{Round, Side, What, cores},
    scale::{LONGEST_ROUND, ROUNDS, Scale},
    serve::{certificate, given as given_file},
    table::{Goal, Row, Unit},
};

/// As many bytes as header and claims of an ID token have.
const SIGNED_BYTES: usize = 500;
const PROVIDERS: &str =
    "https://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/partners/providers";
const SERVICE: &str = "orders-1071284184436.us-central1.run.app";
const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";

pub(crate) fn generate_id_token(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let name = "generateIdToken, to raw RSA-2048 signing";
    Ok(vec![paired(programs, name, What::GenerateIdToken, scale, Goal::AtLeast(0.8))?])
}

pub(crate) fn mint_over_http(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let name = "generateIdToken, to a bare minting server";
    Ok(vec![paired(programs, name, What::MintOverHttp, scale, Goal::AtLeast(0.9))?])
}

pub(crate) fn exchange(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let name = "STS exchange, fresh, to an empty handler";
    Ok(vec![paired(programs, name, What::Exchange, scale, Goal::AtLeast(0.4))?])
}

pub(crate) fn cloud_run(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let fresh = "Cloud Run and echo, fresh, to an empty handler";
    let repeated = "Cloud Run and echo, one token, to an empty handler";
    Ok(vec![
        paired(programs, fresh, What::RunFresh, scale, Goal::AtLeast(0.4))?,
        paired(programs, repeated, What::RunRepeated, scale, Goal::AtLeast(0.6))?,
    ])
}

fn paired(programs: &Programs, name: &str, what: What, scale: Scale, goal: Goal) -> Result<Row, String> {
    let count = scale.of(20_000, 100);
    let rate = |told: &Value| {
        let (count, took) = (told["count"].as_f64(), told["took"].as_f64());
        count.zip(took).map(|(count, took)| count / took).ok_or_else(|| format!("the round told no rate: {told}"))
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let subject = programs.round(&Round { what, side: Side::Subject, count, answer_bytes: 0 })?;
        let answer_bytes = subject["answer_bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
        let answer_bytes = answer_bytes.ok_or("the round told no size")?;
        let baseline = programs.round(&Round { what, side: Side::Baseline, count, answer_bytes })?;
        rounds.push((rate(&subject)?, rate(&baseline)?));
    }
    Ok(Row::paired(name, Unit::PerSecond, &rounds, goal))
}

/// Loads a rig, or an empty server with the very same requests.
pub(crate) fn round(round: &Round) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let site = runtime.block_on(rig(&given_file()))?;
    let (host, requests) = match round.what {
        What::Exchange => ("sts.googleapis.com", exchanges(&site, round.count)?),
        What::RunFresh => (SERVICE, calls(&site, round.count, true)?),
        What::RunRepeated => (SERVICE, calls(&site, round.count, false)?),
        _ => ("iamcredentials.googleapis.com", mintings(&site, round.count)?),
    };
    let loaded = runtime.block_on(async {
        let host = host.to_owned();
        let target = match round.side {
            Side::Subject => gateway(&site, host)?,
            Side::Baseline if round.what == What::MintOverHttp => {
                let minting = Minting::listen(vec![host.clone()]).await?;
                let target = Target { addr: minting.addr()?, host, trusted: minting.shown().certificate.clone() };
                tokio::spawn(minting.serve());
                target
            }
            Side::Baseline => {
                let empty = Empty::listen(vec![host.clone()]).await?;
                let target = Target { addr: empty.addr()?, host, trusted: empty.certificate().clone() };
                tokio::spawn(empty.serve(Bytes::from(vec![b' '; round.answer_bytes])));
                target
            }
        };
        within(LONGEST_ROUND, drive(&target, requests)).await.map_err(|fault| fault.to_string())?
    })?;
    if round.side == Side::Subject {
        recorded(&site, &loaded)?;
    }
    runtime.shutdown_background();
    let Outcome { took, answers, answer_bytes } = loaded;
    Ok(json!({ "took": took.as_secs_f64(), "count": answers, "answer_bytes": answer_bytes }))
}

/// A host of a rig.
pub(crate) fn gateway(site: &RigSite, host: String) -> Result<Target, String> {
    let ca_file = site.rig().ca_file().map_err(|fault| fault.to_string())?;
    let trusted = certificate(&ca_file.display().to_string())?;
    Ok(Target { addr: site.rig().gateway_addr(), host, trusted })
}

/// A rig as `serve` starts it.
pub(crate) async fn rig(given_file: &Path) -> Result<RigSite, String> {
    let (document, _) = read_given(given_file).map_err(|_| "the given document is wrong")?;
    let foundation: Foundation = given::foundation(&document).map_err(|fault| fault.to_string())?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let rig = open(&foundation, Place::Standing { listen }).await.map_err(|fault| fault.to_string())?;
    let site = RigSite::new(rig, Inherited::default());
    given::apply(&site, &document).await.map_err(|fault| fault.to_string())?;
    site.rig().core().cloud().policies().settle();
    Ok(site)
}

/// Every answer has its decision.
fn recorded(site: &RigSite, loaded: &Outcome) -> Result<(), String> {
    let seq = site.rig().core().cloud().decisions().last_seq();
    if seq >= loaded.answers as u64 { Ok(()) } else { Err(format!("only {seq} decisions were kept")) }
}

fn mintings(site: &RigSite, count: usize) -> Result<Vec<Prepared>, String> {
    // The given document lets the owner mint ID tokens for the caller.
    let token = site.rig().core().owner_token();
    let url = format!("/v1/projects/-/serviceAccounts/{CALLER}:generateIdToken");
    in_parallel(count, |number| {
        let body = json!({ "audience": format!("https://service-{number}.example.com"), "includeEmail": true });
        let request = Request::post(&url).header("host", "iamcredentials.googleapis.com");
        let request = request.header("authorization", format!("Bearer {token}"));
        built(request.header("content-type", "application/json"), body.to_string())
    })
}

fn exchanges(site: &RigSite, count: usize) -> Result<Vec<Prepared>, String> {
    exchanges_at(site, "corp", count)
}

/// Exchanges at the provider `ISSUER-oidc`.
pub(crate) fn exchanges_at(site: &RigSite, issuer: &str, count: usize) -> Result<Vec<Prepared>, String> {
    let issuers = site.rig().core().issuers();
    let audience = format!("{PROVIDERS}/{issuer}-oidc");
    in_parallel(count, |number| {
        let claims = json!({ "sub": format!("worker-{number}"), "department": "sales", "aud": audience });
        let claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
        let token = issuers.mint(MintOrder::new(issuer, claims)).map_err(|fault| fault.to_string())?;
        let body = json!({
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": audience.trim_start_matches("https:"),
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
            "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
            "subjectToken": token,
        });
        let request = Request::post("/v1/token").header("host", "sts.googleapis.com");
        built(request.header("content-type", "application/json"), body.to_string())
    })
}

fn calls(site: &RigSite, count: usize, fresh: bool) -> Result<Vec<Prepared>, String> {
    let cloud = site.rig().core().cloud();
    let account = cloud.accounts().get(CALLER).ok_or("the caller is missing")?;
    let order = |number: usize| {
        let order = IdTokenOrder::generated(&account, format!("https://{SERVICE}"), true);
        // A claim of its own makes it another token.
        order.with_google("compute_engine", json!({ "instance_id": number.to_string() }))
    };
    let one = cloud.mint().id_token(&order(0));
    in_parallel(count, |number| {
        let token = if fresh { cloud.mint().id_token(&order(number)) } else { one.clone() };
        let request = Request::get("/hello").header("host", SERVICE);
        built(request.header("authorization", format!("Bearer {token}")), String::new())
    })
}

fn built(request: http::request::Builder, body: String) -> Result<Prepared, String> {
    request.body(Full::new(Bytes::from(body))).map_err(|fault| fault.to_string())
}

/// Makes many on all cores, in their order.
fn in_parallel<T: Send>(count: usize, make: impl Fn(usize) -> Result<T, String> + Sync) -> Result<Vec<T>, String> {
    let share = count.div_ceil(cores()).max(1);
    let numbers: Vec<usize> = (0..count).collect();
    thread::scope(|scope| {
        let make = &make;
        let parts: Vec<_> = numbers
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(|number| make(*number)).collect::<Result<Vec<T>, _>>()))
            .collect();
        let mut all = Vec::with_capacity(count);
        for part in parts {
            all.extend(part.join().map_err(|_| "a thread that prepares requests ended badly")??);
        }
        Ok(all)
    })
}

/// Signs on all cores.
pub(crate) fn sign(count: usize) -> Result<Value, String> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no key could be made")?;
    let der: Pkcs8V1Der<'_> = key.as_der().map_err(|_| "the key cannot be written")?;
    let key = Arc::new(RsaKeyPair::from_pkcs8(der.as_ref()).map_err(|_| "the key cannot be read")?);
    let watch = Stopwatch::start();
    in_parallel(count, |number| {
        let mut message = vec![b'x'; SIGNED_BYTES];
        message.extend(number.to_be_bytes());
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).map_err(|_| "cannot sign")?;
        Ok(signature)
    })?;
    Ok(json!({ "took": watch.elapsed().as_secs_f64(), "count": count, "answer_bytes": 0 }))
}
