//! The decisions that were made, newest last.

use std::{borrow::Cow, collections::VecDeque, fmt, sync::Mutex};

use tokenrig_clock::Timestamp;
use tokenrig_decision::{Decision, Record};

use crate::{cloud::Cloud, sync::lock};

/// A decision as it was made; it becomes a [`Record`] only when somebody reads it.
#[derive(Debug)]
struct Kept {
    at: Timestamp,
    how: How,
    status: u16,
}

enum How {
    Made(Decision),
    /// Its surface, and what makes it.
    Later(&'static str, Box<dyn Fn() -> Decision + Send + Sync>),
}

impl How {
    fn surface(&self) -> &'static str {
        match self {
            Self::Made(decision) => decision.surface(),
            Self::Later(surface, _) => surface,
        }
    }

    fn decision(&self) -> Cow<'_, Decision> {
        match self {
            Self::Made(decision) => Cow::Borrowed(decision),
            Self::Later(_, make) => Cow::Owned(make()),
        }
    }
}

impl fmt::Debug for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decision().fmt(f)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ring(Mutex<(u64, VecDeque<Kept>)>);

/// The decisions of a cloud.
#[derive(Clone, Copy)]
pub struct Decisions<'a>(pub(crate) &'a Cloud);

impl Decisions<'_> {
    /// Keeps a decision with the HTTP status of its answer, and gives its number: the first is 1. The oldest goes
    /// when the ring is full.
    pub fn record(&self, decision: Decision, status: u16) -> u64 {
        self.keep(How::Made(decision), status)
    }

    /// The same, of a decision of `surface` that is made when somebody looks, for what happens often: of something small that
    /// nothing changes, and that does not hold the cloud.
    pub fn record_later(
        &self,
        surface: &'static str,
        status: u16,
        make: impl Fn() -> Decision + Send + Sync + 'static,
    ) -> u64 {
        self.keep(How::Later(surface, Box::new(make)), status)
    }

    fn keep(&self, how: How, status: u16) -> u64 {
        let kept = Kept { at: self.0.now(), how, status };
        let mut guard = lock(&self.0.inner().decisions.0);
        let (last, ring) = &mut *guard;
        if ring.len() >= self.0.settings().ring.max(1) {
            ring.pop_front();
        }
        ring.push_back(kept);
        *last += 1;
        *last
    }

    /// The kept decisions after number `seq`, of a surface if one is named; oldest first.
    #[must_use]
    pub fn since(&self, seq: u64, surface: Option<&str>) -> Vec<Record> {
        let guard = lock(&self.0.inner().decisions.0);
        let (last, ring) = &*guard;
        let first = last - ring.len() as u64 + 1;
        (first..)
            .zip(ring)
            .filter(|(number, kept)| *number > seq && surface.is_none_or(|surface| kept.how.surface() == surface))
            .map(|(number, kept)| kept.record(number))
            .collect()
    }

    /// The newest.
    #[must_use]
    pub fn last(&self) -> Option<Record> {
        let guard = lock(&self.0.inner().decisions.0);
        guard.1.back().map(|kept| kept.record(guard.0))
    }

    /// The number of the newest; 0 before the first.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        lock(&self.0.inner().decisions.0).0
    }
}

impl Kept {
    fn record(&self, seq: u64) -> Record {
        Record { seq, ..Record::new(self.at, &self.how.decision(), self.status) }
    }
}

#[cfg(test)]
mod tests {
    use tokenrig_decision::Check;

    use super::*;
    use crate::cloud::tests::cloud_with;

    #[test]
    fn decisions_are_numbered_and_the_oldest_go_when_the_ring_is_full() {
        let (cloud, _) = cloud_with(|foundation| foundation.settings.ring = 3);
        assert_eq!((cloud.decisions().since(0, None), cloud.decisions().last()), (vec![], None));
        for n in 1..=5 {
            let surface = if n % 2 == 0 { "sts" } else { "iamcredentials" };
            let decision = Decision::of(surface, "method").check(|| Check::named("request"));
            assert_eq!(cloud.decisions().record(decision, 200), n);
        }
        let seqs = |seq, surface| cloud.decisions().since(seq, surface).iter().map(|is| is.seq).collect::<Vec<_>>();
        assert_eq!(seqs(0, None), [3, 4, 5]);
        assert_eq!(seqs(4, None), [5]);
        assert_eq!(seqs(0, Some("sts")), [4]);
        assert_eq!(cloud.decisions().last().unwrap().seq, cloud.decisions().last_seq());
    }

    #[test]
    fn a_decision_that_is_made_later_is_told_like_all_others() {
        let make = || Decision::of("cloudtasks", "attempt").check(|| Check::named("target").found(503).holds(false));
        let (cloud, _) = cloud_with(|_| {});
        cloud.decisions().record(make(), 503);
        cloud.decisions().record_later("cloudtasks", 503, make);
        let told = cloud.decisions().since(0, Some("cloudtasks"));
        assert_eq!(told[1], Record { seq: 2, ..told[0].clone() });
        assert!(cloud.decisions().since(0, Some("sts")).is_empty());
    }
}
