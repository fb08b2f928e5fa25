//! The attack itself, and what came of it.

use serde_json::{Value, json};
use tokenrig::Duty;

use crate::{Answer, Shot, Shots, Strangers, Target};

/// What came of an attack.
#[derive(Debug, Clone)]
pub struct Attacked {
    /// Each token and what the endpoint made of it, in the order in which they were fired.
    pub hits: Vec<Hit>,
}

/// What an endpoint made of a token.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The token.
    pub shot: Shot,
    /// What came back.
    pub answer: Answer,
    /// Whether the endpoint fetched the keys that the token pointed to.
    pub fetched: bool,
    /// What that means.
    pub verdict: Verdict,
}

/// What the answer to a hostile token means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Right,
    /// It let in what it must refuse, or went where the token told it.
    Wrong,
    /// It let in what a careful one refuses.
    Careless,
    /// It broke: 5xx, or no answer.
    Broke,
}

impl Verdict {
    /// Its word in tables and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Right => "ok",
            Self::Wrong => "WRONG",
            Self::Careless => "careless",
            Self::Broke => "BROKE",
        }
    }
}

/// Why an attack proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The endpoint cannot be reached.
    #[error("the endpoint does not answer: {0}")]
    Silent(String),
    /// It refused a token that is good.
    #[error("the endpoint answers {0} to a token that is as it should be, so what it refuses proves nothing")]
    GoodRefused(u16),
    /// It no longer takes at the end what it took at the start.
    #[error("after `{after}` the endpoint no longer takes a token that is as it should be: {answer}")]
    Broken {
        /// The last token before.
        after: String,
        /// What it says now.
        answer: String,
    },
}

/// Fires the good token, all hostile ones, and the good one again.
///
/// # Errors
///
/// [`Fault`] if the good token is not let in: then nothing is proven.
pub async fn attack(target: &Target, shots: &Shots, strangers: &Strangers) -> Result<Attacked, Fault> {
    match target.send(shots.good.token.as_deref()).await {
        answer if answer.accepted() => {}
        Answer::Status(status) => return Err(Fault::GoodRefused(status)),
        Answer::Nothing(why) => return Err(Fault::Silent(why)),
    }
    let mut hits = Vec::with_capacity(shots.hostile.len());
    for shot in &shots.hostile {
        let before = strangers.fetched();
        let answer = target.send(shot.token.as_deref()).await;
        let fetched = strangers.fetched() > before;
        let verdict = verdict(shot.rule.duty, &answer, fetched);
        if verdict == Verdict::Broke {
            still_there(target, shots, shot).await?;
        }
        hits.push(Hit { shot: shot.clone(), answer, fetched, verdict });
    }
    if let Some(last) = shots.hostile.last() {
        still_there(target, shots, last).await?;
    }
    Ok(Attacked { hits })
}

async fn still_there(target: &Target, shots: &Shots, after: &Shot) -> Result<(), Fault> {
    let answer = target.send(shots.good.token.as_deref()).await;
    if answer.accepted() {
        return Ok(());
    }
    let answer = match answer {
        Answer::Status(status) => status.to_string(),
        Answer::Nothing(why) => why,
    };
    Err(Fault::Broken { after: after.name.to_owned(), answer })
}

fn verdict(duty: Duty, answer: &Answer, fetched: bool) -> Verdict {
    match (duty, answer) {
        _ if fetched => Verdict::Wrong,
        // To hang up on what is too large, or too odd, is a way of refusing it.
        (Duty::Survive, Answer::Nothing(_)) => Verdict::Right,
        (_, Answer::Nothing(_) | Answer::Status(500..)) => Verdict::Broke,
        (Duty::Refuse, answer) if answer.accepted() => Verdict::Wrong,
        (Duty::Beware, answer) if answer.accepted() => Verdict::Careless,
        _ => Verdict::Right,
    }
}

impl Attacked {
    /// How many of a verdict there are.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.hits.iter().filter(|hit| hit.verdict == verdict).count()
    }

    /// Whether nothing was let in that must be refused, and nothing broke.
    #[must_use]
    pub fn withstood(&self) -> bool {
        self.count(Verdict::Wrong) + self.count(Verdict::Broke) == 0
    }

    /// All of it: `{"version": 1, "shots": [{name, about, rule, should, answer, fetched, verdict}]}`. `answer` is a status,
    /// or null with `why`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let shots: Vec<Value> = self.hits.iter().map(Hit::to_json).collect();
        json!({ "version": 1, "withstood": self.withstood(), "shots": shots })
    }
}

impl Hit {
    /// What the endpoint should have done, in a word.
    #[must_use]
    pub fn should(&self) -> &'static str {
        match self.shot.rule.duty {
            Duty::Refuse => "refuse",
            Duty::Beware => "better refuse",
            Duty::Survive => "either",
        }
    }

    /// What it did, in a word or two.
    #[must_use]
    pub fn did(&self) -> String {
        match &self.answer {
            answer if answer.accepted() => "accepted".to_owned(),
            Answer::Status(status) => status.to_string(),
            Answer::Nothing(_) => "no answer".to_owned(),
        }
    }

    fn to_json(&self) -> Value {
        let (status, why) = match &self.answer {
            Answer::Status(status) => (json!(status), Value::Null),
            Answer::Nothing(why) => (Value::Null, json!(why)),
        };
        json!({
            "name": self.shot.name,
            "about": self.shot.about,
            "rule": self.shot.rule.source,
            "should": self.should(),
            "answer": status,
            "why": why,
            "accepted": self.answer.accepted(),
            "fetched": self.fetched,
            "verdict": self.verdict.word(),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::refused(Duty::Refuse, Answer::Status(401), false, Verdict::Right)]
    #[case::let_in(Duty::Refuse, Answer::Status(204), false, Verdict::Wrong)]
    #[case::let_in_by_the_careless(Duty::Beware, Answer::Status(200), false, Verdict::Careless)]
    #[case::let_in_by_right(Duty::Survive, Answer::Status(200), false, Verdict::Right)]
    #[case::refused_by_right(Duty::Survive, Answer::Status(400), false, Verdict::Right)]
    #[case::fetched_and_refused(Duty::Refuse, Answer::Status(401), true, Verdict::Wrong)]
    #[case::broke(Duty::Survive, Answer::Status(500), false, Verdict::Broke)]
    #[case::fell_silent(Duty::Refuse, Answer::Nothing("reset".into()), false, Verdict::Broke)]
    #[case::hung_up_on_the_odd(Duty::Survive, Answer::Nothing("reset".into()), false, Verdict::Right)]
    #[case::sent_elsewhere(Duty::Refuse, Answer::Status(302), false, Verdict::Right)]
    fn an_answer_is_judged_by_what_is_owed(
        #[case] duty: Duty,
        #[case] answer: Answer,
        #[case] fetched: bool,
        #[case] judged: Verdict,
    ) {
        assert_eq!(verdict(duty, &answer, fetched), judged);
    }
}
