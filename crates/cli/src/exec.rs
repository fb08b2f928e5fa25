//! `exec`: a rig, and a command in it.

use std::{ffi::OsString, io};

use tokenrig_offline::RigSite;
use tokenrig_runner::Site as _;

use crate::{
    arguments::{Exec, Route},
    child,
    inherited::{self, CREDENTIALS, Environment},
    netns::{self, NetnsFault},
    run::look,
    signals::Signals,
    standing, tell,
};

pub(crate) async fn exec(program: &str, wanted: Exec) -> u8 {
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
    let code = match wanted.route {
        Route::Proxy => child::run(&wanted.command, environment, &mut signals).await,
        Route::Netns => match by_namespace(&site, &wanted.command).await {
            // What it holds serves until the command has ended.
            Ok(route) => child::run(&route.words, environment, &mut signals).await,
            Err(fault) => {
                tell::error(&fault.to_string(), Some(fault.help()));
                3
            }
        },
    };
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
    let mut set = site.environment(&[]).await.map_err(|fault| failed(&fault))?;
    let mut own = site.rig().environment().map_err(|fault| failed(&fault))?;
    if wanted.route == Route::Netns {
        own = own.by_name();
        set.retain(|(name, _)| !own.removes(name));
        set.extend(own.set.iter().cloned());
    }
    if own_key {
        tell::note(&format!(
            "a well-known credentials file lies in the home folder; {CREDENTIALS} names a key of the rig's owner instead"
        ));
    }
    Ok((site, Environment::of(set, |name| own.removes(name))))
}

/// The way of a command that is led to the rig by names alone.
async fn by_namespace(site: &RigSite, command: &[OsString]) -> Result<netns::Route, NetnsFault> {
    let rig = site.rig();
    let folder = rig.folder().map_err(|fault| NetnsFault::Io {
        what: "cannot make the rig's folder".to_owned(),
        why: io::Error::other(fault),
    })?;
    netns::route(&folder, rig.addresses(), command).await
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
