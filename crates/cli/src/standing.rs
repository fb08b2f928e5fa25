//! A rig that stands for a while, for `exec` and `serve`: from given documents to a site that holds what they say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokenrig_offline::{Inherited, Place, RigSite};
use tokenrig_report::Look;
use tokenrig_runner::{
    Foundation, WorldFault,
    given::{self, GivenFault, GivenMember},
};
use tokenrig_scenario::{Given, Sources, read_givens};

use crate::{arguments::Standing, containers, log, tell};

/// Starts the rig and puts in place what is given.
///
/// # Errors
///
/// The exit code, after everything was told: 2 for wrong files, 3 if the rig does not start.
pub(crate) async fn start(
    wanted: &Standing,
    listen: Option<SocketAddr>,
    inherited: Inherited,
    look: &Look,
) -> Result<RigSite, u8> {
    let (site, given, sources) = open(wanted, listen, inherited, look).await?;
    given::apply(&site, &given).await.map_err(|fault| refused(&fault, &sources, look))?;
    settle(&site);
    Ok(site)
}

/// As [`start`], but no policy counts: they are given back as they are written, for those who look at them.
pub(crate) async fn start_without_policies(
    wanted: &Standing,
    inherited: Inherited,
    look: &Look,
) -> Result<(RigSite, Vec<GivenMember>, Sources), u8> {
    let (site, given, sources) = open(wanted, None, inherited, look).await?;
    let applied = given::apply_without_policies(&site, &given).await;
    let (_, members) = applied.map_err(|fault| refused(&fault, &sources, look))?;
    settle(&site);
    Ok((site, members, sources))
}

async fn open(
    wanted: &Standing,
    listen: Option<SocketAddr>,
    inherited: Inherited,
    look: &Look,
) -> Result<(RigSite, Given, Sources), u8> {
    if let Err(why) = log::to(wanted.log.as_deref()) {
        tell::error(&why, None);
        return Err(3);
    }
    let (given, sources) = read_givens(&wanted.given).map_err(|faults| {
        tell::text(&tokenrig_report::diagnostics(&faults, look));
        2
    })?;
    let foundation = given::foundation(&given).map_err(|fault| refused(&fault, &sources, look))?;
    let foundation = Foundation { name: "rig".to_owned(), now: wanted.now, ..foundation };
    let listen = listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
    let rig = match tokenrig_offline::open(&foundation, Place::Standing { listen }).await {
        Ok(rig) => rig,
        Err(WorldFault::Foundation(why)) => {
            tell::error(&why, None);
            return Err(2);
        }
        Err(WorldFault::Unavailable(why) | WorldFault::Unsupported(why)) => {
            tell::error(&why, None);
            return Err(3);
        }
    };
    let site = RigSite::new(rig, Inherited { images: containers::images().await, ..inherited });
    Ok((site, given, sources))
}

/// What was there before anybody asked counts at once, however long a change takes to spread.
fn settle(site: &RigSite) {
    site.rig().core().cloud().policies().settle();
}

fn refused(fault: &GivenFault, sources: &Sources, look: &Look) -> u8 {
    tell::text(&tokenrig_report::given_fault(fault, sources, look));
    2
}
