//! Ending a run, or one case of it, before its time.

use std::{fmt, time::Duration};

use tokenrig_clock::real;
use tokio::sync::watch;

use crate::events::Cut;

/// How long a site may take to close; then it is dropped, which ends it as well.
pub(crate) const CLOSING: Duration = Duration::from_secs(10);

/// Asks a run to end. A clone asks the same run. Dropping it asks for nothing.
///
/// ```
/// let stop = tokenrig_runner::Stop::default();
/// stop.clone().ask();
/// assert!(stop.asked());
/// ```
#[derive(Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.asked()).finish()
    }
}

impl Stop {
    /// No case starts from now on, and those that run are ended where they are.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub(crate) async fn wait(&self) {
        // The sender lives as long as this does, so that it cannot fail.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// Tells all cases of a run that it ends before its time, and why.
#[derive(Debug)]
pub(crate) struct Cutting(watch::Sender<Option<Cut>>);

impl Cutting {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn cut(&self, why: Cut) {
        self.0.send_replace(Some(why));
    }

    async fn wait(&self) -> Cut {
        match self.0.subscribe().wait_for(Option::is_some).await {
            Ok(why) => (*why).unwrap_or(Cut::Asked),
            Err(_) => Cut::Asked,
        }
    }
}

/// Why a case was ended before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Early {
    /// Its own deadline passed.
    Deadline(Duration),
    /// The run ended.
    Run(Cut),
}

impl Early {
    /// Waits for the end of a case that starts now.
    pub(crate) async fn of_case(deadline: Duration, run: &Cutting) -> Self {
        match real::within(deadline, run.wait()).await {
            Ok(cut) => Self::Run(cut),
            Err(_) => Self::Deadline(deadline),
        }
    }

    /// In words that follow "the case was ended".
    pub(crate) fn words(self) -> String {
        match self {
            Self::Deadline(limit) => format!("after {}, its deadline", length(limit)),
            Self::Run(Cut::Deadline(limit)) => format!("because the run had taken {}, its deadline", length(limit)),
            Self::Run(Cut::Asked | Cut::FirstFailure) => "because the run was to end".to_owned(),
        }
    }

    pub(crate) fn help(self) -> Option<String> {
        match self {
            Self::Deadline(_) => Some("`--case-deadline` gives each case more time".to_owned()),
            Self::Run(Cut::Deadline(_)) => Some("`--run-deadline` gives the run more time".to_owned()),
            Self::Run(Cut::Asked | Cut::FirstFailure) => None,
        }
    }
}

/// A length of real time: `90 s`, `10 min`, `0.2 s`.
pub(crate) fn length(length: Duration) -> String {
    if length.subsec_nanos() == 0 && length.as_secs() > 0 {
        crate::redact::rough(jiff::SignedDuration::try_from(length).unwrap_or(jiff::SignedDuration::MAX))
    } else {
        format!("{} s", length.as_secs_f64())
    }
}
