//! The hosts that were asked for and are not played.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// More hosts than this are counted together.
const MOST_HOSTS: usize = 1000;
/// The longest host name that DNS knows.
const LONGEST_HOST: usize = 253;

/// A host that the rig does not play and that somebody wanted to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedHost {
    /// The name as it was asked for, in lower case and without port.
    pub host: String,
    /// How often.
    pub count: u64,
}

/// All refused hosts of a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// By name; at most 1,000.
    pub hosts: Vec<RefusedHost>,
    /// Requests for hosts that came after the first 1,000.
    pub further: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<(BTreeMap<String, u64>, u64)>);

impl Tally {
    /// Counts a refused request, and logs the first one for each host.
    pub(crate) fn add(&self, host: &str) {
        let host: String = host.chars().take(LONGEST_HOST).collect();
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hosts, further) = &mut *tally;
        if let Some(count) = hosts.get_mut(&host) {
            *count += 1;
        } else if hosts.len() < MOST_HOSTS {
            tracing::warn!(%host, "refused: the rig does not play this host");
            hosts.insert(host, 1);
        } else {
            *further += 1;
        }
    }

    pub(crate) fn read(&self) -> Refused {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = tally.0.iter().map(|(host, count)| RefusedHost { host: host.clone(), count: *count }).collect();
        Refused { hosts, further: tally.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_counted_each_time_it_is_refused() {
        let tally = Tally::default();
        tally.add("b.example");
        tally.add("a.example");
        tally.add("b.example");
        let hosts = tally.read().hosts;
        assert_eq!(
            hosts,
            [RefusedHost { host: "a.example".into(), count: 1 }, RefusedHost { host: "b.example".into(), count: 2 }]
        );
    }

    #[test]
    fn hosts_beyond_the_bound_are_counted_together() {
        let tally = Tally::default();
        for n in 0..MOST_HOSTS + 5 {
            tally.add(&format!("h{n}.example"));
        }
        tally.add("h0.example");
        let refused = tally.read();
        assert_eq!(refused.hosts.len(), MOST_HOSTS);
        assert_eq!(refused.further, 5);
        assert_eq!(refused.hosts[0], RefusedHost { host: "h0.example".into(), count: 2 });
    }

    #[test]
    fn an_endless_name_is_cut() {
        let tally = Tally::default();
        tally.add(&"x".repeat(10_000));
        assert_eq!(tally.read().hosts[0].host.len(), LONGEST_HOST);
    }
}
