//! `exec`: a rig, and a command in it.

use tokenrig_offline::RigSite;
use tokenrig_runner::Site as _;

use crate::{
    arguments::{Exec, Route},
    child,
    inherited::{self, CREDENTIALS},
    run::look,
    standing, tell,
};

pub(crate) async fn exec(wanted: Exec) -> u8 {
    if wanted.route == Route::Netns {
        tell::error("the route by network namespace is not built yet", Some("leave `--route` out"));
        return 3;
    }
    let inherited = inherited::of_caller();
    let own_key = inherited.well_known_credentials;
    let site = match standing::start(&wanted.standing, None, inherited, &look("tokenrig", false)).await {
        Ok(site) => site,
        Err(code) => return code,
    };
    let environment = match site.environment(&["python".to_owned()]).await {
        Ok(environment) => environment,
        Err(fault) => {
            tell::error(&fault.to_string(), None);
            return 3;
        }
    };
    if own_key {
        tell::note(&format!(
            "a well-known credentials file lies in the home folder; {CREDENTIALS} names a key of the rig's owner instead"
        ));
    }
    let code = child::run(&wanted.command, environment).await;
    left_out(&site);
    let _ = Box::new(site).close().await;
    code
}

/// What the command asked for and did not get, as the last lines.
fn left_out(site: &RigSite) {
    let refused = site.rig().refused_hosts();
    for host in &refused.hosts {
        tell::note(&format!("refused: the rig does not play the host {} ({} times)", host.host, host.count));
    }
    if refused.further > 0 {
        tell::note(&format!("refused: {} requests for further hosts", refused.further));
    }
    for (method, count) in site.rig().unplayed_methods() {
        tell::note(&format!("not played: {method} ({count} times)"));
    }
}
