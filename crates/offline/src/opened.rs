//! From the foundation of a given document to a rig that stands.

use std::net::SocketAddr;

use tokenrig::{FoundationFault, Rig, RigBuilder, Settings, StartFault, Time};
use tokenrig_clock::Timestamp;
use tokenrig_runner::{Foundation, WorldFault};

/// Where a scenario's clock stands at first, unless it says otherwise.
const FIRST: &str = "2026-01-15T09:00:00Z";

/// What kind of rig is opened: it decides the clock, the seed and the address.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A case of a scenario: the clock stands still, unless a step runs a real client and no instant is told. The seed is
    /// always the same, so that a report can be compared with the last one.
    Case,
    /// `exec` or `serve`: the clock runs. The seed is a fresh one, so that no other rig knows its tokens.
    Standing {
        /// Where the gateway listens.
        listen: SocketAddr,
    },
}

/// Builds and starts a rig on a foundation.
///
/// # Errors
///
/// [`WorldFault::Foundation`] if the given document says something that cannot be, [`WorldFault::Unavailable`] if the rig
/// does not start.
pub async fn open(foundation: &Foundation, place: Place) -> Result<Rig, WorldFault> {
    let builder = builder(foundation, place).map_err(|fault| WorldFault::Foundation(fault.to_string()))?;
    builder.try_start().await.map_err(|fault| match fault {
        StartFault::Given(why) => WorldFault::Foundation(why),
        other => WorldFault::Unavailable(other.to_string()),
    })
}

/// The rig that a foundation describes.
///
/// # Errors
///
/// [`FoundationFault`] names the field and what it takes.
pub fn builder(foundation: &Foundation, place: Place) -> Result<RigBuilder, FoundationFault> {
    let fresh = Rig::builder();
    let builder = match place {
        // So that each step sees all that the steps before it set off, whatever the machine. A command cannot say when it looks.
        Place::Case => fresh.settings(Settings::default()).delivers_by_itself(foundation.has_run_step),
        Place::Standing { listen } => fresh.listen(listen),
    };
    Ok(builder.foundation(foundation)?.time(time(foundation, place)))
}

fn time(foundation: &Foundation, place: Place) -> Time {
    match (place, foundation.now) {
        (Place::Standing { .. }, Some(now)) => Time::RunningFrom(now),
        (Place::Standing { .. }, None) => Time::System,
        // Real clients look at their own clock, which nobody can stop.
        (Place::Case, None) if foundation.has_run_step => Time::System,
        (Place::Case, now) => Time::StandingAt(now.unwrap_or_else(|| FIRST.parse().unwrap_or(Timestamp::UNIX_EPOCH))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenarios_clock_stands_still_unless_a_real_client_looks_at_its_own() {
        let still = Foundation::default();
        assert!(matches!(time(&still, Place::Case), Time::StandingAt(at) if at.to_string() == FIRST));
        let runs = Foundation { has_run_step: true, ..Foundation::default() };
        assert_eq!(time(&runs, Place::Case), Time::System);
        let told = Foundation { has_run_step: true, now: Some(Timestamp::UNIX_EPOCH), ..Foundation::default() };
        assert_eq!(time(&told, Place::Case), Time::StandingAt(Timestamp::UNIX_EPOCH));
    }
}
