//! When attempts are made: while a clock is advanced one after the other, while it runs as they fall due.

use std::{sync::Arc, time::Duration};

use tokenrig_clock::{NotAdvanced, Timestamp, real::within};
use tokio::task::JoinHandle;

use crate::{engine::Deliveries, source::Source};

/// How long a flight gets to notice that its deadline was reached, or that the rig stops, in real time.
const NOTICE: Duration = Duration::from_secs(5);

impl Deliveries {
    /// Moves the clock to `to`, and does all that falls due until then in its order: by instant, service, name, sequence,
    /// each attempt after the one before it has ended. An answer is waited for as long as the patience of the settings; then
    /// the clock goes on, and stops at the attempt's deadline to cut it. Returns once the rig is quiet, with what is still
    /// in flight then, in words.
    ///
    /// # Errors
    ///
    /// [`NotAdvanced`] if `to` is past, or the clock cannot be moved.
    pub async fn advance(&self, to: Timestamp) -> Result<Vec<String>, NotAdvanced> {
        let _turn = self.0.conductor.lock().await;
        let clock = self.0.cloud.clock();
        let now = clock.now();
        if to < now {
            return Err(NotAdvanced::Backwards { now, to });
        }
        self.until(to).await?;
        self.reach(to)?;
        Ok(self.in_flight())
    }

    /// Does what is due now, as [`advance`](Self::advance) would, and lets the clock stand. At once if nothing is.
    pub async fn settle(&self) {
        let _turn = self.0.conductor.lock().await;
        // Nothing moves the clock here, so that there is nothing to fail.
        let _ = self.until(self.0.cloud.now()).await;
    }

    async fn until(&self, to: Timestamp) -> Result<(), NotAdvanced> {
        loop {
            while let Some((due, source)) = self.first()
                && due.at <= to
            {
                if let Some(deadline) = self.first_deadline().filter(|deadline| *deadline <= due.at) {
                    self.cut(deadline).await?;
                    continue;
                }
                self.reach(due.at)?;
                self.one(source).await;
            }
            if self.land().await {
                continue;
            }
            match self.first_deadline() {
                Some(deadline) if deadline <= to => self.cut(deadline).await?,
                _ => return Ok(()),
            }
        }
    }

    /// Moves the clock to `at`, unless it is there already or, running, beyond.
    fn reach(&self, at: Timestamp) -> Result<(), NotAdvanced> {
        let clock = self.0.cloud.clock();
        if clock.now() >= at {
            return Ok(());
        }
        match clock.advance_to(at) {
            // A clock that runs has come there by itself.
            Err(NotAdvanced::Backwards { .. }) => Ok(()),
            other => other,
        }
    }

    /// Makes the attempt that is due first, and waits for its end.
    async fn one(&self, source: Arc<dyn Source>) {
        let Some(order) = source.take(self.0.cloud.now()) else { return };
        let Some((seq, handle)) = self.begin(source, order).await else { return };
        // Who has kept one waiting is not waited for again: all of its answers are, together.
        let hangs = {
            let flights = self.flights();
            let host = flights.get(&seq).map(|flight| &flight.host);
            flights.iter().any(|(other, flight)| *other != seq && flight.waited && Some(&flight.host) == host)
        };
        if !hangs && within(self.0.settings.patience, handle).await.is_err() {
            self.waited_for(seq);
        }
    }

    fn waited_for(&self, seq: u64) {
        if let Some(flight) = self.flights().get_mut(&seq) {
            flight.waited = true;
        }
    }

    /// Waits for all that is in flight and was not waited for yet. Whether anything has landed.
    async fn land(&self) -> bool {
        let waiting: Vec<u64> =
            self.flights().iter().filter(|(_, flight)| !flight.waited).map(|(seq, _)| *seq).collect();
        if waiting.is_empty() {
            return false;
        }
        let left = || waiting.iter().filter(|seq| self.flights().contains_key(seq)).count();
        self.landing(self.0.settings.patience, || left() == 0).await;
        let landed = left() < waiting.len();
        for seq in waiting {
            self.waited_for(seq);
        }
        landed
    }

    /// The earliest deadline of what is in flight.
    fn first_deadline(&self) -> Option<Timestamp> {
        self.flights().values().map(|flight| flight.deadline).min()
    }

    /// Moves the clock to a deadline and waits for what is cut there.
    async fn cut(&self, deadline: Timestamp) -> Result<(), NotAdvanced> {
        self.reach(deadline)?;
        let over = || !self.flights().values().any(|flight| flight.deadline <= deadline);
        self.landing(NOTICE, over).await;
        if !over() {
            // It did not notice, which would be a defect: it must not stop the clock for ever.
            tracing::error!("an attempt did not end at its deadline, {deadline}");
            self.flights().retain(|_, flight| flight.deadline > deadline);
        }
        Ok(())
    }

    /// Waits until `over`, looking after each landing, at most `limit` of real time.
    async fn landing(&self, limit: Duration, over: impl Fn() -> bool) {
        let work = async {
            loop {
                let landed = self.0.landed.notified();
                tokio::pin!(landed);
                landed.as_mut().enable();
                if over() {
                    return;
                }
                landed.await;
            }
        };
        // Whoever asked looks for itself what is left.
        let _ = within(limit, work).await;
    }

    /// Makes attempts as they fall due, from now on: by the running clock all at once, by a standing one in their order.
    #[must_use]
    pub fn run(&self) -> Running {
        let this = self.clone();
        Running { driver: tokio::spawn(async move { this.drive().await }), deliveries: self.clone() }
    }

    /// The same, but nobody drives it: what falls due is done by [`advance`](Self::advance) and [`settle`](Self::settle).
    #[must_use]
    pub fn stand(&self) -> Running {
        Running { driver: tokio::spawn(async {}), deliveries: self.clone() }
    }

    async fn drive(&self) {
        let clock = Arc::clone(self.0.cloud.clock());
        let bell = self.bell();
        loop {
            let rung = bell.0.notified();
            match self.first() {
                Some((due, _)) if due.at <= clock.now() => {}
                Some((due, _)) => {
                    tokio::select! {
                        () = clock.sleep_until(due.at) => {}
                        () = rung => {}
                    }
                }
                None => rung.await,
            }
            if !clock.runs() {
                self.settle().await;
                continue;
            }
            let _turn = self.0.conductor.lock().await;
            let now = clock.now();
            while let Some((due, source)) = self.first()
                && due.at <= now
            {
                if let Some(order) = source.take(now) {
                    self.begin(source, order).await;
                }
            }
        }
    }
}

/// The deliveries of a rig, running. Dropped, they end; what was in flight is not waited for.
#[derive(Debug)]
pub struct Running {
    deliveries: Deliveries,
    driver: JoinHandle<()>,
}

impl Running {
    /// Begins no more attempts and waits for those in flight, at most `grace` of real time; for those that have been waited
    /// for in vain already, no longer. What had not ended by then, in words; it is recorded as what it was.
    pub async fn stop(self, grace: Duration) -> Vec<String> {
        self.driver.abort();
        self.deliveries.landing(grace, || self.deliveries.flights().values().all(|flight| flight.waited)).await;
        let left = self.deliveries.in_flight();
        self.deliveries.stop_flights();
        self.deliveries.landing(NOTICE, || self.deliveries.flights().is_empty()).await;
        left
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.driver.abort();
        self.deliveries.stop_flights();
    }
}
