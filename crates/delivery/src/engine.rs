//! What all deliveries of a rig share, and one attempt from its token to what follows.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
    task::Poll,
};

use serde_json::Value;
use tokenrig_clock::Timestamp;
use tokenrig_cloud::Cloud;
use tokenrig_decision::Decision;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    assumptions::Settings,
    attempt::{carry, host_of},
    carrier::{Carrier, Progress, Publisher},
    log::Log,
    order::{Due, Order, Target},
    outcome::Outcome,
    refusals,
    source::Source,
    tokens::{Carried, Tokens},
};

/// What decisions about attempts are about.
const ATTEMPT: &str = "attempt";

/// The deliveries of one rig. A clone is the same one.
#[derive(Clone)]
pub struct Deliveries(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) cloud: Cloud,
    pub(crate) settings: Settings,
    carrier: Arc<dyn Carrier>,
    publisher: OnceLock<Arc<dyn Publisher>>,
    tokens: Tokens,
    log: Log,
    /// By service.
    sources: RwLock<Vec<Arc<dyn Source>>>,
    /// What is in flight, by number.
    flights: Mutex<BTreeMap<u64, Flight>>,
    /// Held by whoever decides what is done next.
    pub(crate) conductor: tokio::sync::Mutex<()>,
    bell: Bell,
    /// An attempt has ended.
    pub(crate) landed: Notify,
    stopping: watch::Sender<bool>,
}

/// Tells the deliveries that something else may fall due. A service keeps it and rings after each change.
#[derive(Clone, Debug, Default)]
pub struct Bell(pub(crate) Arc<Notify>);

impl Bell {
    /// Something has changed.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// An attempt whose answer is waited for.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) deadline: Timestamp,
    pub(crate) host: String,
    /// In words.
    pub(crate) told: String,
    /// Whether it has been waited for as long as the clock waits for anybody.
    pub(crate) waited: bool,
}

/// An attempt that has begun.
struct Attempt {
    source: Arc<dyn Source>,
    order: Order,
    decision: Decision,
    seq: u64,
}

impl Deliveries {
    /// The deliveries of a cloud, which go out by `carrier`.
    #[must_use]
    pub fn new(cloud: &Cloud, carrier: Arc<dyn Carrier>, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            cloud: cloud.clone(),
            log: Log::new(settings.attempts),
            settings,
            carrier,
            publisher: OnceLock::new(),
            tokens: Tokens::default(),
            sources: RwLock::default(),
            flights: Mutex::default(),
            conductor: tokio::sync::Mutex::default(),
            bell: Bell::default(),
            landed: Notify::new(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Adds a service that has something to deliver.
    pub fn add(&self, source: Arc<dyn Source>) {
        let mut sources = self.0.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.push(source);
        sources.sort_by_key(|source| source.service());
        drop(sources);
        self.0.bell.ring();
    }

    /// Lets topics be targets.
    pub fn publish_by(&self, publisher: Arc<dyn Publisher>) {
        // A rig has one Pub/Sub.
        let _ = self.0.publisher.set(publisher);
    }

    /// What a service rings when something else may fall due.
    #[must_use]
    pub fn bell(&self) -> Bell {
        self.0.bell.clone()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The attempts after number `seq` that are kept, oldest first, as the control address tells them: `seq at service
    /// resource method url headers bodyBytes status token next`, and once it ended `ended code why follows`.
    #[must_use]
    pub fn attempts(&self, seq: u64) -> Vec<Value> {
        self.0.log.since(seq)
    }

    /// What is in flight, in words.
    #[must_use]
    pub fn in_flight(&self) -> Vec<String> {
        self.flights().values().map(|flight| flight.told.clone()).collect()
    }

    pub(crate) fn flights(&self) -> MutexGuard<'_, BTreeMap<u64, Flight>> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop_flights(&self) {
        self.0.stopping.send_replace(true);
    }

    /// What falls due first, and whose it is: by instant, service, name, sequence.
    pub(crate) fn first(&self) -> Option<(Due, Arc<dyn Source>)> {
        let sources = self.0.sources.read().unwrap_or_else(PoisonError::into_inner);
        let mut first: Option<(Due, &Arc<dyn Source>)> = None;
        for source in sources.iter() {
            let Some(due) = source.next() else { continue };
            // At one instant the service whose word comes first goes first.
            if first.as_ref().is_none_or(|(other, _)| due.at < other.at) {
                first = Some((due, source));
            }
        }
        first.map(|(due, source)| (due, Arc::clone(source)))
    }

    /// Makes an attempt. If it has not ended at once, its number and whoever waits for it.
    pub(crate) async fn begin(&self, source: Arc<dyn Source>, order: Order) -> Option<(u64, JoinHandle<()>)> {
        let inner = &self.0;
        let now = inner.cloud.now();
        let service = source.service();
        let mut decision = Decision::of(service, ATTEMPT);
        let carried = order.token.as_ref().map(|token| {
            let (carried, checks) = inner.tokens.get(&inner.cloud, service, token, inner.settings.least_left());
            for check in checks {
                decision.add(check);
            }
            carried
        });
        let carried = match carried.transpose() {
            Ok(carried) => carried,
            Err(refused) => {
                let seq = inner.log.begin(now, service, &order, None);
                self.end(Attempt { source, order, decision, seq }, Outcome::Refused(refused));
                return None;
            }
        };
        let told = carried.as_ref().map(|carried| Arc::clone(&carried.told));
        let seq = inner.log.begin(now, service, &order, told);
        let attempt = Attempt { source, order, decision, seq };
        let request = match &attempt.order.target {
            Target::Http(request) => request.clone(),
            Target::Topic(message) => {
                let published = match inner.publisher.get() {
                    Some(publisher) => publisher.publish(service, message),
                    None => {
                        let not_built = refusals::TOPIC_NOT_BUILT.refuse("delivery-topic-not-built");
                        Err(not_built.with("topic", &*message.topic))
                    }
                };
                let outcome = published.map_or_else(Outcome::Refused, |id| Outcome::Published { id });
                self.end(attempt, outcome);
                return None;
            }
        };
        let progress = Progress::default();
        let host = host_of(&request.url).to_owned();
        let told = format!("{} {} of {} since {now}", request.method, request.url, attempt.order.resource);
        let carrier = Arc::clone(&inner.carrier);
        let token = carried.map(|Carried { token, .. }| token);
        let mut carrying = Box::pin(carry(carrier, request, token, attempt.order.redirects, now, progress.clone()));
        // What answers at once, as a receiver in this process does, needs no task of its own.
        if let Poll::Ready(outcome) = poll_fn(|context| Poll::Ready(carrying.as_mut().poll(context))).await {
            self.end(attempt, outcome);
            return None;
        }
        let deadline = now.checked_add(attempt.order.deadline).unwrap_or(Timestamp::MAX);
        let this = self.clone();
        let clock = Arc::clone(inner.cloud.clock());
        let mut stopping = inner.stopping.subscribe();
        // The lock is held until the flight is known: it cannot land before.
        let mut flights = self.flights();
        let handle = tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = carrying => outcome,
                () = clock.sleep_until(deadline) => Outcome::DeadlineExceeded { status: progress.status() },
                _ = stopping.wait_for(|stopping| *stopping) => Outcome::Stopped,
            };
            this.end(attempt, outcome);
        });
        flights.insert(seq, Flight { deadline, host, told, waited: false });
        drop(flights);
        Some((seq, handle))
    }

    /// An attempt has ended.
    fn end(&self, attempt: Attempt, outcome: Outcome) {
        let Attempt { source, order, mut decision, seq } = attempt;
        let inner = &self.0;
        let now = inner.cloud.now();
        let follows = source.ended(&order, &outcome, now);
        // A token that could not be made has failed its own check already.
        if decision.failed().is_none() {
            let url = match &order.target {
                Target::Http(request) => &request.url,
                Target::Topic(message) => &message.topic,
            };
            decision.add(outcome.check(url));
        }
        inner.cloud.decisions().record(decision, outcome.told_status());
        inner.log.end(seq, now, outcome, follows);
        self.flights().remove(&seq);
        inner.landed.notify_waiters();
        inner.bell.ring();
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
