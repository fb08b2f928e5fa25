//! `run`: a real client.

use std::time::Duration;

use tokenrig_cel::Value;
use tokenrig_scenario::Template;

use super::{Case, Done, Stop, command};
use crate::{
    evaluate,
    events::{Failure, StepReport},
    process,
    stop::length,
    world::SiteFault,
};

/// What a step says about a command.
pub(super) struct Parts<'a> {
    pub(super) words: &'a [Template],
    pub(super) env: &'a Option<Template>,
    pub(super) dir: &'a Option<Template>,
    pub(super) stdin: &'a Option<Template>,
}

impl Case<'_> {
    pub(super) async fn run(
        &mut self,
        parts: Parts<'_>,
        deadline: Duration,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        let words = parts.words.iter().map(|word| self.env.text(word)).collect::<Result<Vec<_>, _>>()?;
        let line = words.join(" ");
        report.what = format!("run {}", crate::redact::text(&line));
        let mut env = self.site.environment(&self.needs).await?;
        if let Some(template) = parts.env {
            for (name, value) in self.env.entries(template)? {
                match value.to_text() {
                    Some(text) => env.push((name, text)),
                    // An absent variable is one of the world's that the command shall not have.
                    None => env.retain(|(known, _)| *known != name),
                }
            }
        }
        let dir = match parts.dir {
            Some(dir) => self.folder.join(self.env.text(dir)?),
            None => self.folder.clone(),
        };
        let stdin = match parts.stdin {
            None => None,
            Some(template) => {
                let value = self.env.value(template)?;
                Some(match value.to_text() {
                    Some(text) => text.into_bytes(),
                    None => evaluate::json(&value).map(|json| json.to_string().into_bytes()).unwrap_or_default(),
                })
            }
        };
        let order = process::Order { words, env, dir, stdin, deadline };
        let printed = process::Printed::default();
        self.running = Some((line.clone(), printed.clone()));
        let ended = process::run(order, &printed).await;
        self.running = None;
        let ended = ended.map_err(|fault| SiteFault::Other(fault.to_string()))?;
        report.command = Some(command(&line, &ended));
        self.outputs = vec![("stdout", ended.stdout.clone()), ("stderr", ended.stderr.clone())];
        let mut done = Done {
            exit: Some(ended.exit),
            names: vec![
                ("exit", Value::Int(ended.exit)),
                ("stdout", Value::from(ended.stdout.text)),
                ("stderr", Value::from(ended.stderr.text)),
            ],
            ..Done::default()
        };
        if ended.overran {
            done.failures.push(Failure {
                help: Some("`deadline` gives a step more time".to_owned()),
                at: report.at,
                label: format!("ended after {}", length(deadline)),
                ..Failure::new(format!("the command had not ended after {}", length(deadline)))
            });
        }
        Ok(done)
    }
}
