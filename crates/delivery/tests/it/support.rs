//! A service that delivers a list, a receiver that answers as told, and a rig's clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{HeaderMap, Method};
use tokenrig_clock::{Clock as _, ManualClock, SharedClock, SignedDuration, Timestamp, seconds};
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_delivery::{
    Answer, Backoff, Carrier, CarryFault, Deliveries, Due, Follows, Headers, Order, Outcome, Outgoing, Progress, Retry,
    Sending, Settings, Source, Target,
};

/// What a receiver does.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    Answer(u16),
    /// Answers after the runtime has gone round once.
    AnswerSlowly(u16),
    Hang,
    /// Sends a head and never the end.
    HangAfter(u16),
    Break,
}

/// Answers by path; the last of several stays. Keeps the paths in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    does: Mutex<BTreeMap<String, Vec<Does>>>,
    pub(crate) got: Mutex<Vec<String>>,
}

impl Receiver {
    pub(crate) fn at(&self, path: &str, does: &[Does]) {
        self.does.lock().unwrap().insert(path.to_owned(), does.to_vec());
    }
}

impl Carrier for Receiver {
    fn carry(&self, sending: Sending<'_>, progress: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>> {
        let path = sending.request.url.rsplit('/').next().unwrap_or_default().to_owned();
        self.got.lock().unwrap().push(path.clone());
        let mut all = self.does.lock().unwrap();
        let told = all.entry(path).or_insert_with(|| vec![Does::Answer(200)]);
        let does = if told.len() > 1 { told.remove(0) } else { told[0].clone() };
        let answer = |status| Ok(Answer { status, headers: HeaderMap::new() });
        async move {
            match does {
                Does::Answer(status) => answer(status),
                Does::AnswerSlowly(status) => {
                    tokio::task::yield_now().await;
                    answer(status)
                }
                Does::Hang => std::future::pending().await,
                Does::HangAfter(status) => {
                    progress.began(status);
                    std::future::pending().await
                }
                Does::Break => Err(CarryFault::Broken("reset".to_owned())),
            }
        }
        .boxed()
    }
}

/// One delivery of the list: due, name, path, attempts made, first attempt.
#[derive(Debug, Clone)]
struct Item {
    due: Option<Timestamp>,
    name: Arc<str>,
    made: u32,
    first: Timestamp,
}

/// Delivers a list, each item until it arrives or its retries are over.
pub(crate) struct List {
    service: &'static str,
    retry: Retry,
    deadline: SignedDuration,
    items: Mutex<Vec<Item>>,
    /// How each attempt ended: name, when, how.
    pub(crate) ended: Mutex<Vec<(String, Timestamp, Outcome)>>,
}

impl List {
    /// Items by name, due so many seconds after the start; three attempts, 10 s apart at first, a deadline of 60 s.
    pub(crate) fn of(service: &'static str, items: &[(&str, i64)]) -> Arc<Self> {
        let items = items.iter().map(|(name, after)| Item {
            due: Some(start() + seconds(*after)),
            name: (*name).into(),
            made: 0,
            first: start(),
        });
        Arc::new(Self {
            service,
            retry: Retry {
                attempts: Some(3),
                window: None,
                backoff: Backoff { min: seconds(10), max: seconds(300), doublings: 3 },
            },
            deadline: seconds(60),
            items: Mutex::new(items.collect()),
            ended: Mutex::default(),
        })
    }

    fn first(items: &[Item]) -> Option<(usize, Due)> {
        let due = items.iter().enumerate().filter_map(|(index, item)| {
            let due = Due { at: item.due?, name: Arc::clone(&item.name), sequence: index as u64 };
            Some((index, due))
        });
        due.min_by(|(_, a), (_, b)| a.cmp(b))
    }
}

impl Source for List {
    fn service(&self) -> &'static str {
        self.service
    }

    fn next(&self) -> Option<Due> {
        Self::first(&self.items.lock().unwrap()).map(|(_, due)| due)
    }

    fn take(&self, now: Timestamp) -> Option<Order> {
        let mut items = self.items.lock().unwrap();
        let (index, _) = Self::first(&items)?;
        let item = &mut items[index];
        item.due = None;
        item.made += 1;
        if item.made == 1 {
            item.first = now;
        }
        let request = Outgoing {
            method: Method::POST,
            url: format!("https://{}.example.com/{}", self.service, item.name).into(),
            headers: Headers::default(),
            body: Bytes::new(),
        };
        Some(Order {
            resource: Arc::clone(&item.name),
            ticket: index as u64,
            target: Target::Http(request),
            token: None,
            deadline: self.deadline,
            redirects: 0,
        })
    }

    fn ended(&self, order: &Order, outcome: &Outcome, now: Timestamp) -> Follows {
        self.ended.lock().unwrap().push((order.resource.to_string(), now, outcome.clone()));
        let mut items = self.items.lock().unwrap();
        let item = &mut items[usize::try_from(order.ticket).unwrap()];
        if outcome.succeeded() {
            return Follows::Done;
        }
        item.due = self.retry.after(item.made, item.first, now);
        item.due.map_or(Follows::GivenUp, Follows::Retry)
    }
}

pub(crate) fn start() -> Timestamp {
    "2026-01-15T09:00:00Z".parse().unwrap()
}

pub(crate) struct Bench {
    pub(crate) cloud: Cloud,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) deliveries: Deliveries,
}

/// Deliveries of these lists on a clock that stands at the start.
pub(crate) fn bench(lists: &[&Arc<List>]) -> Bench {
    let clock = Arc::new(ManualClock::starting_at(start()));
    assert_eq!(clock.now(), start());
    on(clock, lists)
}

pub(crate) fn on(clock: SharedClock, lists: &[&Arc<List>]) -> Bench {
    let cloud = Cloud::new(Foundation::on(clock));
    let receiver = Arc::new(Receiver::default());
    let settings = Settings { patience: std::time::Duration::from_millis(30), ..Settings::default() };
    let deliveries = Deliveries::new(&cloud, Arc::clone(&receiver) as Arc<dyn Carrier>, settings);
    for list in lists {
        deliveries.add(Arc::clone(list) as Arc<dyn Source>);
    }
    Bench { cloud, receiver, deliveries }
}
