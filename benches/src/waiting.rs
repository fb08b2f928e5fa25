//! Many exchanges that wait for one issuer, and the others beside them.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use tokenrig::{IssuerPatch, Misbehaviour};
use tokenrig_clock::real::{pause, within};

use crate::{
    child::Programs,
    load::{drive, hold},
    round::{Round, Side, What},
    scale::{LONGEST_ROUND, ROUNDS, Scale},
    table::{Goal, Row, Unit},
    throughput::{exchanges_at, gateway, rig},
};

/// How many wait.
const WAITING: usize = 100;
/// For all of them to be on their way.
const ARRIVAL: Duration = Duration::from_millis(300);
const HOST: &str = "sts.googleapis.com";

/// How long exchanges at a good issuer take, all together, while others wait for an issuer that hangs; beside the same
/// without those.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let count = scale.of(10_000, 100);
    let took = |side| {
        let told = programs.round(&Round { what: What::Waiting, side, count, answer_bytes: 0 })?;
        told["took"].as_f64().map(|took| took * 1000.0).ok_or_else(|| format!("the round told no time: {told}"))
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push((took(Side::Subject)?, took(Side::Baseline)?));
    }
    let name = format!("{count} exchanges while {WAITING} wait for another issuer");
    Ok(vec![Row::paired(name, Unit::Milliseconds, &rounds, Goal::AtMost(1.2))])
}

/// Exchanges at the issuer `corp`; of a subject round while others wait for `slow`.
pub(crate) fn round(round: &Round) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let given = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/waiting.given.yaml"));
    let site = runtime.block_on(rig(given))?;
    let issuers = site.rig().core().issuers();
    let hangs = json!({ "misbehaves": Misbehaviour::Slow.name() });
    let patch = IssuerPatch::read(hangs.as_object().ok_or("a patch is a map")?).map_err(|fault| fault.to_string())?;
    issuers.patch("slow", patch).map_err(|fault| fault.to_string())?;
    let (good, waiting) = (exchanges_at(&site, "corp", round.count)?, exchanges_at(&site, "slow", WAITING)?);
    let target = gateway(&site, HOST.to_owned())?;
    let took = runtime.block_on(async {
        let measured = async {
            let held = match round.side {
                Side::Subject => Some(hold(&target, waiting).await?),
                Side::Baseline => None,
            };
            pause(ARRIVAL).await;
            let took = drive(&target, good).await?.took;
            if let Some(held) = held {
                if held.answered() > 0 {
                    return Err("the slow issuer did not hang long enough: the machine is too busy".to_owned());
                }
                // All are answered in the end: with the fault that the one fetch came to.
                let statuses = held.statuses().await?;
                if statuses.len() != WAITING || statuses.iter().any(|status| *status != 400) {
                    return Err(format!("those that waited were answered with {statuses:?}"));
                }
            }
            Ok(took)
        };
        within(LONGEST_ROUND, measured).await.map_err(|fault| fault.to_string())?
    })?;
    if round.side == Side::Subject {
        let slow = issuers.list().into_iter().find(|issuer| issuer.id == "slow").ok_or("the slow issuer is missing")?;
        let fetches = slow.strikes.get(&Misbehaviour::Slow).copied().unwrap_or_default();
        if fetches != 1 {
            return Err(format!("the slow issuer was asked {fetches} times"));
        }
    }
    runtime.shutdown_background();
    Ok(json!({ "took": took.as_secs_f64(), "count": round.count, "answer_bytes": 0 }))
}
