//! A rig that stands for a while, for `exec` and `serve`: from given documents to a site that holds what they say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokenrig_offline::{Inherited, Place, RigSite};
use tokenrig_report::Look;
use tokenrig_runner::{Foundation, WorldFault, given};
use tokenrig_scenario::{Given, Sources, read_given};

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
    if let Err(why) = log::to(wanted.log.as_deref()) {
        tell::error(&why, None);
        return Err(3);
    }
    let documents = read(wanted, look)?;
    let mut foundation = Foundation { name: "rig".to_owned(), now: wanted.now, ..Foundation::default() };
    for (given, sources) in &documents {
        match given::foundation(given) {
            Ok(one) => merge(&mut foundation, one),
            Err(fault) => {
                tell::text(&tokenrig_report::given_fault(&fault, sources, look));
                return Err(2);
            }
        }
    }
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
    for (given, sources) in &documents {
        if let Err(fault) = given::apply(&site, given).await {
            tell::text(&tokenrig_report::given_fault(&fault, sources, look));
            return Err(2);
        }
    }
    // What was there before anybody asked counts at once, however long a change takes to spread.
    site.rig().core().cloud().policies().settle();
    Ok(site)
}

fn read(wanted: &Standing, look: &Look) -> Result<Vec<(Given, Sources)>, u8> {
    let mut documents = Vec::new();
    let mut wrong = false;
    for path in &wanted.given {
        match read_given(path) {
            Ok(document) => documents.push(document),
            Err(faults) => {
                wrong = true;
                tell::text(&tokenrig_report::diagnostics(&faults, look));
            }
        }
    }
    if wrong { Err(2) } else { Ok(documents) }
}

/// Of several documents the last one that says something counts.
fn merge(into: &mut Foundation, more: Foundation) {
    // Taken apart, so that nothing that a document may say is forgotten here.
    let Foundation { name: _, project, organization, issuers, users, clients, aws, settings, now: _, has_run_step: _ } =
        more;
    into.project.extend(project);
    into.organization.extend(organization);
    into.issuers.extend(issuers);
    into.users.extend(users);
    into.clients.extend(clients);
    into.aws.extend(aws);
    into.settings.extend(settings);
}
