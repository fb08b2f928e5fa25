//! `--log FILE`: what the rig logs, a JSON object a line. Tokens are never in it whole: nothing logs them.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Mutex};

use tracing_subscriber::EnvFilter;

/// What is logged: everything of ours (a target is a prefix), of libraries only what is wrong.
const FILTER: &str = "warn,tokenrig=debug";

/// Starts logging to a file, if one is wanted.
pub(crate) fn to(file: Option<&Path>) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let open = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    let open = open.map_err(|fault| format!("cannot write the log `{}`: {fault}", file.display()))?;
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(FILTER)).with_writer(Mutex::new(open));
    subscriber.try_init().map_err(|fault| format!("cannot log: {fault}"))
}
