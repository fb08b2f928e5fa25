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

pub(crate) async fn serve(program: &str, wanted: Serve) -> u8 {
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
    // Whoever waits for the file must not find that of a rig which has ended.
    if let Some(file) = wanted.env_file.as_deref()
        && let Err(fault) = gone(file)
    {
        tell::error(&format!("cannot replace `{}`: {fault}", file.display()), None);
        return 3;
    }
    let opened = tokio::select! {
        opened = open(program, &wanted) => opened,
        _ = signals.asked() => return 0,
    };
    let (site, saved) = match opened {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let mut code = 0;
    match saved {
        None => drop(signals.asked().await),
        Some(mut saved) => {
            tokio::select! {
                _ = signals.asked() => {}
                () = saved.changes(&site) => {}
            }
            if !saved.save(&site) {
                code = 3;
            }
        }
    }
    if let Some(file) = &wanted.env_file {
        // Somebody may have taken it away already.
        let _ = gone(file);
    }
    for left in site.stop().await {
        tell::note(&format!("ended in flight: {left}"));
    }
    code
}

/// The rig, saved once and its environment handed out; or the exit code after everything was told.
async fn open<'a>(program: &str, wanted: &'a Serve) -> Result<(RigSite, Option<Saved<'a>>), u8> {
    let failed = |why: &str| {
        tell::error(why, None);
        3
    };
    let mut caller = inherited::of_caller();
    let own_key = caller.well_known_credentials;
    // Only what the rig sets is told: the rest is the caller's own.
    caller.variables.clear();
    let look = look(program, false, io::stderr());
    let site = standing::start(&wanted.standing, wanted.listen, caller, &look).await?;
    let exports = exports(&site).await.map_err(|why| failed(&why))?;
    if own_key {
        tell::note(&format!(
            "a well-known credentials file lies in the home folder; {CREDENTIALS} names a key of the rig's owner instead"
        ));
    }
    let mut saved = wanted.save.as_deref().map(Saved::at);
    if saved.as_mut().is_some_and(|saved| !saved.save(&site)) {
        return Err(3);
    }
    hand_out(&exports, wanted.env_file.as_deref()).map_err(|why| failed(&why))?;
    Ok((site, saved))
}

/// Shell exports: `unset` for what would lead past the rig, `export` for what leads to it.
async fn exports(site: &RigSite) -> Result<String, String> {
    let environment = site.environment(&[]).await.map_err(|fault| fault.to_string())?;
    let removed = site.rig().environment().map_err(|fault| fault.to_string())?.remove;
    let mut text = String::new();
    // A prefix cannot be unset by a plain shell line; the names that are known stand in the list by themselves.
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

/// The file that `--save` names, and what it holds.
struct Saved<'a> {
    file: &'a Path,
    holds: String,
    /// A disk that stays full is told once.
    told: bool,
}

impl<'a> Saved<'a> {
    fn at(file: &'a Path) -> Self {
        Self { file, holds: String::new(), told: false }
    }

    /// Saves soon after each change, for as long as it is polled.
    async fn changes(&mut self, site: &RigSite) {
        loop {
            real::pause(LOOKS).await;
            self.save(site);
        }
    }

    /// Saves what is new. Whether all is saved now.
    fn save(&mut self, site: &RigSite) -> bool {
        let state = format!("{:#}\n", site.rig().core().state());
        if state == self.holds {
            return true;
        }
        match write_whole(self.file, &state) {
            Ok(()) => (self.holds, self.told) = (state, false),
            Err(_) if self.told => return false,
            Err(fault) => {
                self.told = true;
                tell::error(&format!("cannot save to `{}`: {fault}", self.file.display()), None);
                return false;
            }
        }
        true
    }
}

/// Takes a file away, if it is there and is one: `/dev/stdout` is none.
fn gone(file: &Path) -> io::Result<()> {
    if fs::metadata(file).is_ok_and(|known| known.is_file()) { fs::remove_file(file) } else { Ok(()) }
}

/// A file that is there whole or not at all.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(file).is_ok_and(|known| !known.is_file()) {
        return fs::write(file, text);
    }
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.flush()?;
    fs::File::sync_all(temporary.as_file())?;
    temporary.persist(file).map_err(|fault| fault.error)?;
    Ok(())
}
