//! What all deliveries of a rig share, and one attempt from its token to what follows.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
    task::Poll,
};

use futures_util::future::{FutureExt as _, ready};
use serde_json::Value;
use tokenrig_clock::Timestamp;
use tokenrig_cloud::Cloud;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    assumptions::Settings,
    attempt::{Carrying, Way, carry, host_of, is_redirect, outcome},
    carrier::{Authorization, Carrier, Progress, Publisher, Sending},
    log::{Attempt, Log},
    order::{Due, Order, Publication, Target},
    outcome::Outcome,
    refusals,
    source::Source,
    tokens::Tokens,
};

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
        let token = order.token.as_ref();
        let carried =
            token.map(|token| inner.tokens.get(&inner.cloud, service, token, inner.settings.least_left(), now));
        let (authorization, about, refused) = match carried {
            None => (None, None, None),
            Some(Ok(carried)) => (Some(carried.authorization), Some(carried.about), None),
            Some(Err((refused, about))) => (None, Some(about), Some(refused)),
        };
        let attempt = Arc::new(Attempt::new(now, service, order, about));
        let seq = inner.log.begin(Arc::clone(&attempt));
        if let Some(refused) = refused {
            self.end(&*source, attempt, Outcome::Refused(refused));
            return None;
        }
        let request = match &attempt.order.target {
            Target::Http(request) => request,
            Target::Topic(message) => {
                let outcome = self.publish(service, message);
                self.end(&*source, attempt, outcome);
                return None;
            }
        };
        let progress = Progress::default();
        let sending = Sending { request, authorization: authorization.as_ref() };
        let mut sent = inner.carrier.carry(sending, progress.clone());
        // What answers at once, as a receiver in this process does, needs nothing that costs something.
        let sent = match poll_fn(|context| Poll::Ready(sent.as_mut().poll(context))).await {
            Poll::Ready(came) if !is_redirect(&came) => {
                self.end(&*source, attempt, outcome(came, now));
                return None;
            }
            Poll::Ready(came) => ready(came).boxed(),
            Poll::Pending => sent,
        };
        self.take_off(source, attempt, seq, authorization, progress, sent).await
    }

    /// Waits for an answer that takes time.
    async fn take_off(
        &self,
        source: Arc<dyn Source>,
        attempt: Arc<Attempt>,
        seq: u64,
        authorization: Option<Authorization>,
        progress: Progress,
        sent: Carrying,
    ) -> Option<(u64, JoinHandle<()>)> {
        let Target::Http(request) = &attempt.order.target else { return None };
        let (inner, now) = (&self.0, attempt.at);
        let flight = Flight {
            deadline: now.checked_add(attempt.order.deadline).unwrap_or(Timestamp::MAX),
            host: host_of(&request.url).to_owned(),
            told: format!("{} {} of {} since {now}", request.method, request.url, attempt.order.resource),
            waited: false,
        };
        let way = Way {
            carrier: Arc::clone(&inner.carrier),
            request: request.clone(),
            authorization,
            redirects: attempt.order.redirects,
            now,
            progress: progress.clone(),
        };
        let mut carrying = Box::pin(carry(way, sent));
        // A redirect inside this process leads to an answer at once.
        if let Poll::Ready(outcome) = poll_fn(|context| Poll::Ready(carrying.as_mut().poll(context))).await {
            self.end(&*source, attempt, outcome);
            return None;
        }
        let (this, deadline) = (self.clone(), flight.deadline);
        let clock = Arc::clone(inner.cloud.clock());
        let mut stopping = inner.stopping.subscribe();
        // The lock is held until the flight is known: it cannot land before.
        let mut flights = self.flights();
        let handle = tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = carrying => outcome,
                () = clock.sleep_until(deadline) => {
                    Outcome::DeadlineExceeded { status: progress.status(), limit: progress.limit() }
                }
                _ = stopping.wait_for(|stopping| *stopping) => Outcome::Stopped,
            };
            this.end(&*source, attempt, outcome);
            this.flights().remove(&seq);
            this.0.landed.notify_waiters();
        });
        flights.insert(seq, flight);
        drop(flights);
        Some((seq, handle))
    }

    /// Publishes a message, if somebody takes it.
    fn publish(&self, service: &'static str, message: &Publication) -> Outcome {
        let published = match self.0.publisher.get() {
            Some(publisher) => publisher.publish(service, message),
            None => {
                let not_built = refusals::TOPIC_NOT_BUILT.refuse("delivery-topic-not-built");
                Err(not_built.with("topic", &*message.topic))
            }
        };
        published.map_or_else(Outcome::Refused, |id| Outcome::Published { id })
    }

    /// An attempt has ended.
    fn end(&self, source: &dyn Source, attempt: Arc<Attempt>, outcome: Outcome) {
        let inner = &self.0;
        let now = inner.cloud.now();
        let follows = source.ended(&attempt.order, &outcome, now);
        let status = outcome.told_status();
        attempt.end(now, outcome, follows);
        inner.cloud.decisions().record_later(attempt.service, status, move || attempt.decision());
        inner.bell.ring();
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
