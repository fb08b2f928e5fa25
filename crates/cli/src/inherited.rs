//! What commands get from whoever called: the environment, and where real clients are installed.

#![expect(clippy::disallowed_methods, reason = "only the commands read the environment")]

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use tokenrig_offline::{Images, Inherited};
use tokio::process::Command;

/// Names a file of credentials for every client.
pub(crate) const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Where clients look for credentials below the home folder.
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";
/// Needs that `cargo xtask conformance` installs, each with the file that is there once it has.
const CLIENTS: [(&str, &str); 4] = [
    ("python", "installed-requirements.txt"),
    ("node", "installed-package-lock.json"),
    ("go", "installed-go.sum"),
    ("java", "installed-pom.xml"),
];

/// What a command of `exec`, or of whoever uses `serve`, gets: the caller's own credential file is left alone.
pub(crate) fn of_caller() -> Inherited {
    // What is no text means nothing to a rig; a command of `exec` gets it as it is.
    let variables: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let well_known = env::home_dir().is_some_and(|home| home.join(WELL_KNOWN).exists());
    let set = env::var_os(CREDENTIALS).is_some_and(|value| !value.is_empty());
    let well_known_credentials = well_known && !set;
    Inherited { variables, programs: programs(), well_known_credentials, images: Images::default() }
}

/// This very program.
pub(crate) fn own_binary() -> std::io::Result<PathBuf> {
    env::current_exe()
}

/// The environment of a command: the caller's, with what a rig sets in it and without what it removes.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    set: Vec<(String, String)>,
    remove: Vec<OsString>,
}

impl Environment {
    /// `set` overrides what the caller has; of that, whatever `removes` says is left out.
    pub(crate) fn of(set: Vec<(String, String)>, removes: impl Fn(&str) -> bool) -> Self {
        let names = env::vars_os().map(|(name, _)| name);
        Self { set, remove: names.filter(|name| name.to_str().is_some_and(&removes)).collect() }
    }

    /// Puts it on a command that would start with the caller's.
    pub(crate) fn put_on(self, command: &mut Command) {
        for name in self.remove {
            command.env_remove(name);
        }
        command.envs(self.set);
    }
}

/// The control address of the rig in whose environment this was called, if it was.
pub(crate) fn control_url() -> Option<String> {
    env::var("TOKENRIG_URL").ok().filter(|url| !url.is_empty())
}

/// What the commands of scenarios get: the credentials that a scenario names, never the caller's.
pub(crate) fn of_scenarios() -> Inherited {
    let mut inherited = of_caller();
    inherited.variables.retain(|(name, _)| name != CREDENTIALS);
    let home = env::home_dir().is_some_and(|home| home.join(WELL_KNOWN).exists());
    Inherited { well_known_credentials: home, ..inherited }
}

fn programs() -> BTreeMap<String, Vec<PathBuf>> {
    let mut programs = BTreeMap::new();
    for (need, stamp) in CLIENTS {
        if let Some(client) = conformance(need).filter(|folder| folder.join(stamp).exists()) {
            programs.insert(need.to_owned(), vec![client.join("bin")]);
        }
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join("gcloud").is_file()) {
        programs.insert("gcloud".to_owned(), Vec::new());
    }
    programs
}

/// Whether nobody watches, whatever the terminal is: build servers say so.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Where a program keeps what it would like to know the next time: `$XDG_STATE_HOME/tokenrig`, else
/// `~/.local/state/tokenrig`.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let told = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(told.or_else(|| env::home_dir().map(|home| home.join(".local/state")))?.join("tokenrig"))
}

/// Where `cargo xtask conformance NAME` has installed a client: below the workspace that this was called in.
fn conformance(name: &str) -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let installed = |folder: &Path| folder.join("target/conformance").join(name);
    here.ancestors().map(installed).find(|folder| folder.is_dir())
}
