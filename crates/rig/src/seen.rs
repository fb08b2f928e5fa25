//! What a test sees of a rig: addresses, requests that arrived, decisions, and its clock.

use std::{fmt, ops::Deref};

use serde_json::Value;
use tokenrig_clock::{NotAdvanced, SignedDuration, Timestamp};
use tokenrig_decision::Record;

use crate::rig::Rig;

/// A request that reached a service, refused ones included.
#[derive(Clone, PartialEq)]
pub struct Received {
    /// Counts all received requests of a rig from 1.
    pub seq: u64,
    /// When, on the rig's clock.
    pub at: Timestamp,
    /// The verb.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// In order, names in lower case; tokens in them without their signatures.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was kept.
    pub body: Vec<u8>,
    /// What was answered.
    pub status: u16,
    /// The header of the bearer token; null if there was none that could be opened.
    pub header: Value,
    /// The claims of the bearer token; null if there was none that could be opened.
    pub claims: Value,
}

impl Received {
    /// The first header of this name, in any letter case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("claims", &self.claims)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// A decision that the rig made: which checks, what each expected and found, and what would have let it pass. As text it
/// is the whole explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided(Record);

impl Decided {
    /// The name of the check that gave the answer, if one failed.
    #[must_use]
    pub fn failed(&self) -> Option<&str> {
        self.0.failed().map(|check| check.name.as_str())
    }

    /// The catalogue's id of the refusal, if it was one.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.0.refusal.as_deref()
    }
}

impl Deref for Decided {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", tokenrig_report::title(&self.0))?;
        for line in tokenrig_report::check_lines(&self.0) {
            write!(f, "\n  {}", line.text)?;
        }
        match &self.0.mend {
            Some(mend) => write!(f, "\nhelp: {mend}"),
            None => Ok(()),
        }
    }
}

/// The clock of a rig.
#[derive(Debug, Clone, Copy)]
pub struct RigClock<'r>(&'r Rig);

impl RigClock<'_> {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.core().cloud().now()
    }

    /// Moves it ahead, and waits until all that fell due is done. Gives the instant that it then shows.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let rig = tokenrig::Rig::builder().start().await;
    /// let before = rig.clock().now();
    /// assert!(rig.clock().advance(tokenrig::time::minutes(61)).await >= before + tokenrig::time::minutes(61));
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If the duration is negative, or leads beyond the calendar.
    pub async fn advance(&self, duration: SignedDuration) -> Timestamp {
        let to = match self.now().checked_add(duration) {
            Ok(to) => to,
            Err(fault) => panic!("the clock does not move: {fault}"),
        };
        match self.0.core().advance(to).await {
            Ok((now, _)) => now,
            // A clock that runs may get there by itself meanwhile.
            Err(NotAdvanced::Backwards { now, .. }) if !duration.is_negative() => now,
            Err(fault) => panic!("the clock does not move: {fault}"),
        }
    }

    /// Moves it to an instant, and waits until all that fell due is done.
    ///
    /// # Panics
    ///
    /// If the instant is past.
    pub async fn advance_to(&self, to: Timestamp) -> Timestamp {
        match self.0.core().advance(to).await {
            Ok((now, _)) => now,
            Err(fault) => panic!("the clock does not move: {fault}"),
        }
    }
}

impl Rig {
    /// The URL of a Cloud Run service or a function, by its id or its resource name: its `uri`.
    ///
    /// # Panics
    ///
    /// If none of this name is deployed; the message lists those that are.
    #[must_use]
    #[track_caller]
    pub fn uri(&self, service: &str) -> String {
        self.core().cloud_run().uri(service).unwrap_or_else(|| self.no_service(service))
    }

    /// What reached a service or a function, refused requests included, oldest first.
    ///
    /// # Panics
    ///
    /// If none of this name is deployed.
    #[must_use]
    pub async fn received(&self, service: &str) -> Vec<Received> {
        self.core().settle().await;
        let all = self.core().cloud_run().received(service, 0).unwrap_or_else(|| self.no_service(service));
        let told = all.into_iter().map(|one| {
            let (header, claims) = match one.token {
                Some((header, claims)) => (Value::Object(header), Value::Object(claims)),
                None => (Value::Null, Value::Null),
            };
            Received {
                seq: one.seq,
                at: one.at,
                method: one.method,
                path: one.path,
                headers: one.headers,
                body: one.body,
                status: one.status,
                header,
                claims,
            }
        });
        told.collect()
    }

    /// The decisions that were made since the rig stood, oldest first; at most 10,000 are kept. Those of putting in place
    /// what is given are among them.
    #[must_use]
    pub async fn decisions(&self) -> Vec<Decided> {
        self.core().cloud().decisions().since(0, None).into_iter().map(Decided).collect()
    }

    /// The last decision.
    ///
    /// # Panics
    ///
    /// If nothing was decided yet.
    #[must_use]
    pub async fn last_decision(&self) -> Decided {
        match self.core().cloud().decisions().last() {
            Some(record) => Decided(record),
            None => panic!("nothing was decided yet: no request has reached the rig"),
        }
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> RigClock<'_> {
        RigClock(self)
    }

    #[track_caller]
    fn no_service(&self, service: &str) -> ! {
        let known: Vec<String> = self.core().cloud_run().deployed().into_iter().map(|one| one.id).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        panic!("there is no service `{service}`; there are {known}");
    }
}
