//! `exec`: a rig, and a command in it.

use std::io;

use tokenrig_offline::RigSite;
use tokenrig_runner::Site as _;

use crate::{
    arguments::{Exec, Route},
    child,
    inherited::{self, CREDENTIALS, Environment},
    run::look,
    signals::Signals,
    standing, tell,
};

pub(crate) async fn exec(program: &str, wanted: Exec) -> u8 {
    if wanted.route == Route::Netns {
        tell::error("the route by network namespace is not built yet", Some("leave `--route` out"));
        return 3;
    }
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    // Whoever asks before the command has started gets an end at once, and the rig's files go.
    let opened = tokio::select! {
        opened = open(program, &wanted) => opened,
        asked = signals.asked() => return asked.code(),
    };
    let (site, environment) = match opened {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let code = child::run(&wanted.command, environment, &mut signals).await;
    left_out(&site);
    let _ = Box::new(site).close().await;
    code
}

/// The rig and the command's environment, or the exit code after everything was told.
async fn open(program: &str, wanted: &Exec) -> Result<(RigSite, Environment), u8> {
    let inherited = inherited::of_caller();
    let own_key = inherited.well_known_credentials;
    let site = standing::start(&wanted.standing, None, inherited, &look(program, false, io::stderr())).await?;
    let failed = |fault: &dyn std::fmt::Display| {
        tell::error(&fault.to_string(), None);
        3
    };
    let set = site.environment(&[]).await.map_err(|fault| failed(&fault))?;
    let own = site.rig().environment().map_err(|fault| failed(&fault))?;
    if own_key {
        tell::note(&format!(
            "a well-known credentials file lies in the home folder; {CREDENTIALS} names a key of the rig's owner instead"
        ));
    }
    Ok((site, Environment::of(set, |name| own.removes(name))))
}

/// What the command asked for and did not get, as the last lines.
fn left_out(site: &RigSite) {
    let refused = site.rig().refused_hosts();
    for host in &refused.hosts {
        tell::note(&format!("refused: the rig does not play the host {} ({})", host.host, times(host.count)));
    }
    if refused.further > 0 {
        tell::note(&format!("refused: {} for further hosts", requests(refused.further)));
    }
    for (method, count) in site.rig().unplayed_methods() {
        tell::note(&format!("not played: {method} ({})", times(count)));
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn requests(count: u64) -> String {
    if count == 1 { "a request".to_owned() } else { format!("{count} requests") }
}
