//! The line that shows how far a run is, on a terminal alone.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the time on it moves on though nothing else happens.
const TICK: Duration = Duration::from_millis(250);
/// `[00:03] [####----------------] 12/62 federation/cloud-run`: characters that every terminal has.
const TEMPLATE: &str = "    [{elapsed_precise}] [{bar:20}] {pos}/{len} {wide_msg}";

/// It is on stderr, so that what is written to stdout is the same with and without it.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    /// Cases that run, in the order in which they started.
    running: Vec<String>,
}

impl Bar {
    pub(crate) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style.progress_chars("##-"));
            }
            bar
        });
        Self { bar, running: Vec::new() }
    }

    pub(crate) fn length(&self, cases: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(cases as u64);
            bar.enable_steady_tick(TICK);
        }
    }

    pub(crate) fn starts(&mut self, case: String) {
        if let Some(bar) = &self.bar {
            self.running.push(case);
            bar.set_message(self.running.first().cloned().unwrap_or_default());
        }
    }

    pub(crate) fn ends(&mut self, case: &str, failed: usize) {
        let Some(bar) = &self.bar else { return };
        if let Some(at) = self.running.iter().position(|known| known == case) {
            self.running.remove(at);
        }
        bar.inc(1);
        let failed = if failed == 0 { String::new() } else { format!("{failed} failed, ") };
        // The one that has run longest is what the run waits for.
        bar.set_message(failed + self.running.first().map_or("", |case| case));
    }

    /// Does something to the screen while the bar is out of the way.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
