//! One case: a fresh site, what is given, the steps in order.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value as Json, json};
use tokenrig_cel::Value;
use tokenrig_clock::{
    Timestamp,
    real::{self, Stopwatch},
};
use tokenrig_scenario::{Play, Scenario, Step, Verb, duration, instant};

use crate::{
    catalogue::Catalogue,
    evaluate::{Effect, Env, Fault},
    events::{CaseReport, Cut, Failure, Outcome, Skip, StepReport},
    exchange,
    files::{self, Files, named},
    given::{self, GivenFault},
    judge,
    keep::Kept,
    method_call,
    plan::Planned,
    step::{Case, Stop, waits},
    stop::{CLOSING, Cutting, Early, length},
    world::{Site, SiteFault, Who, World, WorldFault, word},
};

/// How often an expression may ask for one more effect within a step.
const MAX_EFFECTS: usize = 16;
const KEY_DEADLINE: Duration = Duration::from_secs(30);

/// What is the same for all cases of a run.
pub(crate) struct Setting {
    pub(crate) catalogue: Catalogue,
    pub(crate) now: Option<Timestamp>,
    pub(crate) required: Vec<String>,
    pub(crate) scratch: std::path::PathBuf,
    /// Whether exchanges of cases that passed are kept.
    pub(crate) keep_all: bool,
    /// The folder for what failed cases leave.
    pub(crate) keep: Option<std::path::PathBuf>,
    /// How long a case may take.
    pub(crate) deadline: Duration,
    /// How long a step may wait, if the world's clock is the real one.
    pub(crate) max_wait: Option<Duration>,
    /// Tells of the run's end before its time.
    pub(crate) cutting: Cutting,
}

/// Completes when a case must end; never polled again then.
type Ending<'a> = BoxFuture<'a, Early>;

/// Runs one case to its end. Nothing that goes wrong in it leaves this function but in the report.
pub(crate) async fn run(world: &dyn World, planned: &Planned, number: usize, setting: &Setting) -> CaseReport {
    let watch = Stopwatch::start();
    let mut played = Played::default();
    let outcome = match skipped(world, planned, setting) {
        Some(skip) => Outcome::Skipped(skip),
        None => play(world, planned, number, setting, &mut played).await,
    };
    if outcome == Outcome::Passed && !setting.keep_all {
        for step in &mut played.steps {
            step.exchanges = Vec::new();
            step.tokens = Vec::new();
            step.command = None;
            step.decision = None;
            step.decisions = Vec::new();
        }
    }
    CaseReport {
        id: planned.id.clone(),
        number,
        sources: planned.scenario.sources.clone(),
        outcome,
        steps: played.steps,
        took: watch.elapsed(),
        kept: played.kept,
    }
}

/// What has happened in a case.
#[derive(Default)]
struct Played {
    steps: Vec<StepReport>,
    kept: Option<std::path::PathBuf>,
}

/// Why the scenario does not run here, if it does not.
fn skipped(world: &dyn World, planned: &Planned, setting: &Setting) -> Option<Skip> {
    let scenario = &planned.scenario;
    let kind = world.kind();
    if !scenario.worlds.contains(&kind) {
        return Some(Skip::World(kind));
    }
    let lacks = scenario.needs.iter().find_map(|need| {
        let why = world.offers(&need.text).err()?;
        let need = need.text.to_string();
        Some(Skip::Need { required: setting.required.contains(&need), need, why })
    });
    lacks.or_else(|| too_long(&scenario.play(planned.row), setting.max_wait?))
}

/// A wait that is written out is known before anything was made.
fn too_long(play: &Play, most: Duration) -> Option<Skip> {
    play.steps.iter().find_map(|step| match &step.verb {
        Verb::Advance { to } => waits(duration(to.text()?)?, most),
        _ => None,
    })
}

async fn play(world: &dyn World, planned: &Planned, number: usize, setting: &Setting, played: &mut Played) -> Outcome {
    let mut ending = Early::of_case(setting.deadline, &setting.cutting).boxed();
    let scenario = &planned.scenario;
    let play = scenario.play(planned.row);
    let files = Files::new(&setting.scratch);
    let mut env = scenario.cases.get(planned.row).map(Env::of).unwrap_or_default();
    functions(&mut env, &files);
    // What `vars` can mean before a site is there is enough for issuers and project.
    vars(&mut env, scenario).ok();

    let foundation = given::foundation_in(&play.given, &env).and_then(|mut foundation| {
        foundation.name.clone_from(&planned.id.scenario);
        foundation.now = first_instant(scenario, &env)?.or(setting.now);
        foundation.has_run_step = scenario.has_run_step;
        Ok(foundation)
    });
    let foundation = match foundation {
        Ok(foundation) => foundation,
        Err(fault) => return broken(fault, &mut played.steps),
    };
    let site = tokio::select! {
        biased;
        site = world.open(foundation) => site,
        early = &mut ending => return cut(early, "setting up its world", None),
    };
    let site = match site {
        Ok(site) => site,
        Err(WorldFault::Unsupported(why)) => return Outcome::Skipped(Skip::Other(why)),
        Err(fault) => {
            return Outcome::Broken(format!("the {} world could not be set up: {fault}", word(world.kind())));
        }
    };
    let mut kept = setting.keep.as_deref().map(|folder| Kept::new(folder, &planned.id, number));
    let outcome = in_site(&*site, planned, &play, env, files, setting, &mut ending, &mut kept, &mut played.steps).await;
    if let Some(kept) = kept
        && matches!(outcome, Outcome::Failed | Outcome::Broken(_))
    {
        played.kept = kept.of(&*site).await;
    }
    let closed = real::within(CLOSING, site.close()).await;
    let closed = closed.unwrap_or_else(|_| Err(SiteFault::Other(format!("it took more than {}", length(CLOSING)))));
    match (closed, outcome) {
        (Err(fault), Outcome::Passed) => Outcome::Broken(format!("the site could not be closed: {fault}")),
        (_, outcome) => outcome,
    }
}

#[expect(clippy::too_many_arguments, reason = "all that a case is made of; one caller")]
async fn in_site(
    site: &dyn Site,
    planned: &Planned,
    play: &Play,
    mut env: Env,
    files: Files,
    setting: &Setting,
    ending: &mut Ending<'_>,
    kept: &mut Option<Kept>,
    steps: &mut Vec<StepReport>,
) -> Outcome {
    env.scope.set("now", site.now());
    vars(&mut env, &planned.scenario).ok();
    let applied = tokio::select! {
        biased;
        applied = given::apply_in(site, &play.given, env) => applied,
        early = &mut *ending => return cut(early, "putting in place what is given", None),
    };
    let mut env = match applied {
        Ok((_, env)) => env,
        Err(fault) => return fault_of_given(fault, steps),
    };
    if let Err(fault) = vars(&mut env, &planned.scenario) {
        return broken(fault.into(), steps);
    }
    let mut case = Case {
        site,
        env,
        folder: planned.folder.clone(),
        needs: planned.scenario.needs.iter().map(|need| need.text.to_string()).collect(),
        decided: 0,
        received: BTreeMap::new(),
        outputs: Vec::new(),
        running: None,
        max_wait: setting.max_wait,
    };
    case.decisions().await;
    for (index, step) in play.steps.iter().enumerate() {
        let mut report = StepReport {
            number: index + 1,
            title: step.title.as_ref().map(|title| title.text.to_string()),
            at: Some(step.verb_span),
            ..StepReport::default()
        };
        let watch = Stopwatch::start();
        let made = tokio::select! {
            biased;
            skip = one(&mut case, step, setting.catalogue, &files, &mut report) => Ok(skip),
            early = &mut *ending => Err(early),
        };
        report.took = watch.elapsed();
        if made.is_err() {
            report.command = case.given_up();
        }
        if let Some(kept) = kept {
            kept.outputs(index + 1, std::mem::take(&mut case.outputs));
        }
        let made = made.map_err(|early| cut(early, &whereabouts(&report), Some(&mut report)));
        let failed = !report.failures.is_empty();
        steps.push(report);
        match made {
            Err(outcome) => return outcome,
            Ok(Some(skip)) => return Outcome::Skipped(skip),
            Ok(None) if failed => return Outcome::Failed,
            Ok(None) => {}
        }
    }
    Outcome::Passed
}

/// What came of a case that was ended: it failed if it was itself too slow, or the run; not if somebody just had enough.
fn cut(early: Early, whereabouts: &str, step: Option<&mut StepReport>) -> Outcome {
    if let Early::Run(Cut::Asked | Cut::FirstFailure) = early {
        return Outcome::Skipped(Skip::Stopped(whereabouts.to_owned()));
    }
    let message = format!("the case was ended {}; it was {whereabouts}", early.words());
    let Some(step) = step else { return Outcome::Broken(message) };
    step.failures.push(Failure {
        at: step.at,
        label: format!("had not ended after {}", length_of(step.took)),
        help: early.help(),
        ..Failure::new(message)
    });
    Outcome::Failed
}

/// `in step 3: GET https://…/hello`.
fn whereabouts(step: &StepReport) -> String {
    const LIMIT: usize = 80;
    let what: String = step.what.chars().take(LIMIT).collect();
    match step.what.as_str() {
        "" => format!("in step {}", step.number),
        whole if whole.len() > what.len() => format!("in step {}: {what}…", step.number),
        _ => format!("in step {}: {what}", step.number),
    }
}

fn length_of(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// A given document that cannot be in this world skips the case; what cannot be made breaks it.
fn fault_of_given(fault: GivenFault, steps: &mut Vec<StepReport>) -> Outcome {
    match fault.unsupported() {
        Some(why) => Outcome::Skipped(Skip::Other(why.to_owned())),
        None => broken(fault, steps),
    }
}

/// Makes one step; gives the reason if the case must be skipped from here.
async fn one(
    case: &mut Case<'_>,
    step: &Arc<Step>,
    catalogue: Catalogue,
    files: &Files,
    report: &mut StepReport,
) -> Option<Skip> {
    effects_of_saves(case, step, files, report).await;
    for _ in 0..MAX_EFFECTS {
        case.env.scope.set("now", case.site.now());
        match case.act(step, report).await {
            Ok(done) => {
                case.env.scope.set("now", case.site.now());
                judge::judge(case, step, done, catalogue, report).await;
                return None;
            }
            Err(Stop::Skip(skip)) => return Some(skip),
            Err(Stop::Site(fault)) => {
                let message = crate::redact::text(&fault.to_string()).into_owned();
                report.failures.push(Failure {
                    at: Some(step.verb_span),
                    label: message.clone(),
                    ..Failure::new(format!("{}: {message}", report.what))
                });
                report.decisions = case.decisions().await.unwrap_or_default();
                report.decision = report.decisions.last().cloned();
                return None;
            }
            Err(Stop::Value(fault)) => match case.env.effects.take() {
                None => {
                    report.failures.push(fault.into());
                    return None;
                }
                Some(effect) => {
                    let result = effected(case, &effect, files, report).await;
                    case.env.effects.done(effect, result);
                    // What the effect decided upon is not the step's.
                    case.decisions().await;
                }
            },
        }
    }
    report
        .failures
        .push(Failure { at: Some(step.verb_span), ..Failure::new("too many files are asked for in one step") });
    None
}

/// Does what the step's saves will ask for, so that they find it done.
async fn effects_of_saves(case: &mut Case<'_>, step: &Step, files: &Files, report: &mut StepReport) {
    let with_effects =
        |program: &tokenrig_cel::Program| program.custom_functions().iter().any(|(name, _)| name == "key_file");
    for (_, expr) in step.save.iter().filter(|(_, expr)| with_effects(&expr.program)) {
        // Only the asking matters here; what the value is, `save` says.
        let _ = case.env.expr(expr);
        while let Some(effect) = case.env.effects.take() {
            let result = effected(case, &effect, files, report).await;
            case.env.effects.done(effect, result);
            case.decisions().await;
        }
    }
}

/// Does what an expression asked for.
async fn effected(case: &Case<'_>, effect: &Effect, files: &Files, report: &mut StepReport) -> Result<Value, String> {
    let Effect::KeyFile(email) = effect;
    let create = tokenrig_protos::table().by_short("iam.serviceAccounts.keys.create");
    let create = create.ok_or("keys of accounts cannot be made yet")?;
    let name = json!({ "name": format!("projects/-/serviceAccounts/{email}") });
    let fields = name.as_object().cloned().unwrap_or_default();
    let mut request = method_call::rest(create, &fields, KEY_DEADLINE).map_err(|fault| fault.to_string())?;
    let token = case.site.credentials(Who::Owner).await.map_err(|fault| fault.to_string())?;
    request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    let answer = exchange::send(case.site, request, &mut report.exchanges).await.map_err(|fault| fault.to_string())?;
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let key = body.get("privateKeyData").and_then(Json::as_str).and_then(|key| BASE64_STANDARD.decode(key).ok());
    // It went well and held a private key: it is not for the report.
    if key.is_some() {
        report.exchanges.pop();
    }
    let key = key.ok_or_else(|| format!("no key of {email} could be made: status {}", answer.status))?;
    files.write("key.json", &key).map(Value::from)
}

/// The scenario's own first instant.
fn first_instant(scenario: &Scenario, env: &Env) -> Result<Option<Timestamp>, Fault> {
    let Some(template) = &scenario.now else { return Ok(None) };
    match env.value(template)? {
        Value::Timestamp(at) => Ok(Some(at)),
        value => value
            .as_str()
            .and_then(instant)
            .map(Some)
            .ok_or_else(|| Fault::new(template.span, "`now` is an instant like `2026-03-02T09:00:00Z`")),
    }
}

/// Gives `vars` their values; a later one may read those before it.
fn vars(env: &mut Env, scenario: &Scenario) -> Result<(), Fault> {
    let mut known: Vec<(&str, Value)> = Vec::new();
    let mut first = Ok(());
    for (key, template) in &scenario.vars {
        env.scope.set("vars", Value::map(known.clone()));
        match env.value(template) {
            Ok(value) => known.push((&key.text, value)),
            Err(fault) if first.is_ok() => first = Err(fault),
            Err(_) => {}
        }
    }
    env.scope.set("vars", Value::map(known));
    first
}

/// The functions of scenarios.
fn functions(env: &mut Env, files: &Files) {
    let effects = env.effects.clone();
    let files = files.clone();
    let scope = std::mem::take(&mut env.scope);
    env.scope = scope
        .function("jwt", |arguments| {
            let token = match arguments {
                [token] => token.as_str().ok_or("jwt(t) takes a token, a text")?,
                _ => return Err("it is called as jwt(token)".to_owned()),
            };
            let opened = tokenrig_jose::peek(token).ok_or("this is no JWT")?;
            Ok(Value::map([("header", Value::from(&opened.header)), ("claims", Value::from(&opened.claims))]))
        })
        .function("base64", |arguments| match arguments {
            [Value::String(text)] => Ok(Value::from(BASE64_STANDARD.encode(text.as_bytes()))),
            [Value::Bytes(bytes)] => Ok(Value::from(BASE64_STANDARD.encode(bytes))),
            _ => Err("base64(s) takes a text or bytes".to_owned()),
        })
        .function("credential_file", move |arguments| files::credential_file(&files, arguments))
        .function("key_file", move |arguments| {
            let email = match arguments {
                [account] => named(account, "email").ok_or("key_file(a) takes a given account or an e-mail")?,
                _ => return Err("it is called as key_file(account)".to_owned()),
            };
            effects.ask(Effect::KeyFile(email))
        });
}

fn broken(fault: GivenFault, steps: &mut Vec<StepReport>) -> Outcome {
    let message = fault.to_string();
    steps.push(fault.into_report());
    Outcome::Broken(message)
}

/// The folder for files of a run, where the caller names none.
pub(crate) fn scratch(given: Option<&Path>) -> std::path::PathBuf {
    given.map_or_else(|| std::path::PathBuf::from("/tmp"), Path::to_owned)
}
