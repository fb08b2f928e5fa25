//! `attack`: hostile tokens at an endpoint.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::{io, time::Duration};

use rustix::process::Signal;
use tokenrig_attack::{Aim, Attacked, Fault, Hit, Signer, Strangers, Target, Verdict, aimed, state_of};
use tokenrig_clock::real;
use tokenrig_offline::RigSite;
use tokenrig_report::Look;
use tokenrig_runner::Site as _;

use crate::{
    arguments::Attack,
    child,
    inherited::{self, Environment},
    run::look,
    signals::Signals,
    standing, tell,
};

/// How long a command that is the endpoint may take until it answers.
const START: Duration = Duration::from_secs(60);
/// How often it is looked whether it does.
const LOOKS: Duration = Duration::from_millis(50);

/// Exit codes: 0 if the endpoint withstood, 1 if not, 2 for a wrong call, 3 if nothing could be proven.
pub(crate) async fn attack(program: &str, mut wanted: Attack) -> u8 {
    let look = look(program, wanted.verbose, io::stdout());
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    let twin = match twin(&mut wanted).await {
        Ok(file) => file,
        Err(code) => return code,
    };
    let site = match standing::start(&wanted.standing, None, inherited::of_caller(), &look).await {
        Ok(site) => site,
        Err(code) => return code,
    };
    drop(twin);
    let code = match begun(&site, &wanted).await {
        Err(code) => code,
        Ok((target, aim, endpoint)) => {
            let code = tokio::select! {
                code = proven(&site, &wanted, &look, &target, &aim) => code,
                asked = signals.asked() => asked.code(),
            };
            if let Some((child, started)) = endpoint {
                started.end(child, Signal::TERM, &mut signals).await;
            }
            code
        }
    };
    let _ = Box::new(site).close().await;
    code
}

/// The endpoint, if it is a command.
type Endpoint = Option<(tokio::process::Child, child::Started)>;

async fn begun(site: &RigSite, wanted: &Attack) -> Result<(Target, Aim, Endpoint), u8> {
    let (target, aim) = aim(site, wanted).map_err(|why| {
        tell::error(&why, None);
        2
    })?;
    Ok((target, aim, endpoint(site, wanted).await?))
}

/// In the environment of a rig that stands, the attack signs as that one does, unless it is told a document of its own.
async fn twin(wanted: &mut Attack) -> Result<Option<tempfile::NamedTempFile>, u8> {
    let own = !wanted.standing.given.is_empty() || !wanted.command.is_empty();
    let Some(url) = inherited::control_url().filter(|_| !own) else { return Ok(None) };
    let failed = |why: String| {
        tell::error(&why, Some("leave TOKENRIG_URL out of the environment, or name a `--given` file"));
        3
    };
    let state = state_of(&url).await.map_err(|fault| failed(format!("the rig at {url} does not tell: {fault}")))?;
    let written = || -> io::Result<_> {
        let file = tempfile::Builder::new().prefix("tokenrig-").suffix(".given.json").tempfile()?;
        serde_json::to_writer(&file, &state)?;
        Ok(file)
    };
    let file = written().map_err(|fault| failed(format!("cannot write a temporary file: {fault}")))?;
    wanted.standing.given.push(file.path().to_owned());
    Ok(Some(file))
}

async fn proven(site: &RigSite, wanted: &Attack, look: &Look, target: &Target, aim: &Aim) -> u8 {
    if !wanted.command.is_empty() && !answers(target).await {
        tell::error(&format!("the command does not answer at {} within {START:?}", wanted.url), None);
        return 3;
    }
    let strangers = match Strangers::listen().await {
        Ok(strangers) => strangers,
        Err(fault) => {
            tell::error(&format!("cannot listen on 127.0.0.1: {fault}"), None);
            return 3;
        }
    };
    let shots = match aimed(site.rig().core(), aim, &strangers) {
        Ok(shots) => shots,
        Err(fault) => {
            tell::error(&fault.to_string(), Some("name one of the given document"));
            return 2;
        }
    };
    match tokenrig_attack::attack(target, &shots, &strangers).await {
        Ok(attacked) => {
            if wanted.json {
                println!("{:#}", attacked.to_json());
            } else {
                print!("{}", table(&attacked, wanted.verbose, look));
            }
            u8::from(!attacked.withstood())
        }
        Err(fault) => {
            tell::error(&fault.to_string(), Some(help(&fault)));
            3
        }
    }
}

fn help(fault: &Fault) -> &'static str {
    match fault {
        Fault::Silent(_) => {
            "start the endpoint in the environment of `exec` or `serve`, or name its command after `--`; for an https URL \
             that the rig does not play name its `--ca`"
        }
        Fault::GoodRefused(_) => {
            "the endpoint must run in the environment of the same rig (after `--`, or under `exec` or `serve` with the \
             same given document); then see `--audience`, `--account`, `--issuer` and `--claims`"
        }
        Fault::Broken { .. } => "one token can end it for all: that is a finding of its own",
    }
}

fn aim(site: &RigSite, wanted: &Attack) -> Result<(Target, Aim), String> {
    let ca = wanted.ca.as_ref().map(std::fs::read).transpose();
    let ca = ca.map_err(|fault| format!("the CA file cannot be read: {fault}"))?;
    let https = wanted.url.starts_with("https:");
    let target = match ca {
        None if https => Target::played(&wanted.url, site.rig().dialer().clone()),
        ca => Target::new(&wanted.url, ca.as_deref()),
    };
    let target = target.and_then(|target| target.header(&wanted.header)).map_err(|fault| fault.to_string())?;
    let method = wanted.method.parse().map_err(|_| format!("`{}` is no HTTP method", wanted.method))?;
    let audience = wanted.audience.clone().unwrap_or_else(|| origin(&wanted.url));
    let signer = match wanted.issuer.as_str() {
        "google" => Signer::Google,
        id => Signer::Issuer(id.to_owned()),
    };
    let claims = wanted.claims.clone().unwrap_or_default();
    Ok((target.method(method), Aim { signer, audience, account: wanted.account.clone(), claims }))
}

/// Scheme, host and port.
fn origin(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    url[..end].to_owned()
}

async fn endpoint(site: &RigSite, wanted: &Attack) -> Result<Endpoint, u8> {
    if wanted.command.is_empty() {
        return Ok(None);
    }
    let failed = |fault: &dyn std::fmt::Display| {
        tell::error(&fault.to_string(), None);
        3
    };
    let set = site.environment(&[]).await.map_err(|fault| failed(&fault))?;
    let own = site.rig().environment().map_err(|fault| failed(&fault))?;
    child::start(&wanted.command, Environment::of(set, |name| own.removes(name))).map(Some)
}

/// Waits until the endpoint answers whatever it likes.
async fn answers(target: &Target) -> bool {
    let asked = real::within(START, async {
        while let tokenrig_attack::Answer::Nothing(_) = target.send(None).await {
            real::pause(LOOKS).await;
        }
    });
    asked.await.is_ok()
}

/// What needs attention, or all, and a line that sums it up.
fn table(attacked: &Attacked, all: bool, look: &Look) -> String {
    let shown: Vec<&Hit> = attacked.hits.iter().filter(|hit| all || hit.verdict != Verdict::Right).collect();
    let mut lines = vec![["token", "answer", "should", "verdict", "rule"].map(str::to_owned)];
    lines.extend(shown.iter().map(|hit| {
        let answer = if hit.fetched { format!("{}, and fetched", hit.did()) } else { hit.did() };
        [hit.shot.name, &answer, hit.should(), hit.verdict.word(), hit.shot.rule.source].map(str::to_owned)
    }));
    let mut text = String::new();
    if !shown.is_empty() {
        text.push_str(&aligned(&lines));
        text.push('\n');
        for hit in shown.iter().filter(|hit| hit.verdict != Verdict::Right) {
            text.push_str(&format!("{}: {}\n", hit.shot.name, hit.shot.about));
        }
        text.push('\n');
    }
    let count = |verdict| attacked.count(verdict);
    let sum = format!(
        "{} tokens: {} ok, {} wrongly accepted, {} carelessly accepted, {} broke it",
        attacked.hits.len(),
        count(Verdict::Right),
        count(Verdict::Wrong),
        count(Verdict::Careless),
        count(Verdict::Broke),
    );
    text.push_str(&if attacked.withstood() { look.good(&sum) } else { look.bad(&sum) });
    text.push('\n');
    text
}

fn aligned(lines: &[[String; 5]]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8080/hello?x", "http://127.0.0.1:8080")]
    #[case("https://app.example", "https://app.example")]
    fn the_usual_audience_is_the_origin(#[case] url: &str, #[case] audience: &str) {
        assert_eq!(origin(url), audience);
    }
}
