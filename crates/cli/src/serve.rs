//! `serve`: a rig that stays up.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokenrig_clock::real;
use tokenrig_offline::RigSite;
use tokenrig_runner::Site as _;

use crate::{
    arguments::Serve,
    inherited::{self, CREDENTIALS},
    run::look,
    signals::Signals,
    standing, tell,
};

/// How often it is looked whether there is something new to save.
const LOOKS: Duration = Duration::from_millis(500);

pub(crate) async fn serve(wanted: Serve) -> u8 {
    if wanted.listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        tell::error(
            "a rig beyond loopback would need keys of its own, and making them is not built yet",
            Some("listen at an address of 127.0.0.0/8"),
        );
        return 3;
    }
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    let mut caller = inherited::of_caller();
    let own_key = caller.well_known_credentials;
    // Only what the rig sets is told: the rest is the caller's own.
    caller.variables.clear();
    let site = match standing::start(&wanted.standing, wanted.listen, caller, &look("tokenrig", false)).await {
        Ok(site) => site,
        Err(code) => return code,
    };
    let exports = match exports(&site).await {
        Ok(exports) => exports,
        Err(why) => {
            tell::error(&why, None);
            return 3;
        }
    };
    if own_key {
        tell::note(&format!(
            "a well-known credentials file lies in the home folder; {CREDENTIALS} names a key of the rig's owner instead"
        ));
    }
    if let Err(why) = hand_out(&exports, wanted.env_file.as_deref()) {
        tell::error(&why, None);
        return 3;
    }
    tokio::select! {
        _ = signals.asked() => {}
        () = save_changes(&site, wanted.save.as_deref()) => {}
    }
    if let Some(file) = &wanted.save {
        save(&site, file, &mut String::new());
    }
    let _ = Box::new(site).close().await;
    0
}

/// Shell exports: `unset` for what would lead past the rig, `export` for what leads to it.
async fn exports(site: &RigSite) -> Result<String, String> {
    let environment = site.environment(&[]).await.map_err(|fault| fault.to_string())?;
    let removed = site.rig().environment().map_err(|fault| fault.to_string())?.remove;
    let mut text = String::new();
    // A prefix cannot be unset by a plain shell line; what such variables hold is told in the documents.
    for name in removed.iter().filter(|name| !name.ends_with('*')) {
        text.push_str(&format!("unset {name}\n"));
    }
    for (name, value) in environment {
        text.push_str(&format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
    }
    Ok(text)
}

fn hand_out(exports: &str, file: Option<&Path>) -> Result<(), String> {
    if let Some(file) = file {
        return write_whole(file, exports).map_err(|fault| format!("cannot write `{}`: {fault}", file.display()));
    }
    let mut out = io::stdout().lock();
    out.write_all(exports.as_bytes()).and_then(|()| out.flush()).map_err(|fault| format!("cannot write: {fault}"))
}

/// Saves soon after each change, for as long as it is polled; without a file it never ends.
async fn save_changes(site: &RigSite, file: Option<&Path>) {
    let mut last = String::new();
    loop {
        real::pause(LOOKS).await;
        if let Some(file) = file {
            save(site, file, &mut last);
        }
    }
}

fn save(site: &RigSite, file: &Path, last: &mut String) {
    let state = format!("{:#}\n", site.rig().core().state());
    if state == *last {
        return;
    }
    match write_whole(file, &state) {
        Ok(()) => *last = state,
        Err(fault) => tell::error(&format!("cannot save to `{}`: {fault}", file.display()), None),
    }
}

/// A file that is there whole or not at all.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.flush()?;
    fs::File::sync_all(temporary.as_file())?;
    temporary.persist(file).map_err(|fault| fault.error)?;
    Ok(())
}
