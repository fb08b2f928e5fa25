//! The route by a network namespace: the command finds Google's real host names at port 443, whether or not it obeys
//! proxies, and nothing of the machine outside changes.
//!
//! ```text
//! this process     the rig's ports   ◄── relay ◄── sockets in the rig's folder
//!                                                       ▲
//! namespaces        COMMAND ──► 127.0.0.1:443, … ── relay (`inside`), and a name server that knows every name
//! ```
//!
//! A socket that has a path is reached from any network namespace, so that no packet need pass between them. The
//! namespaces are made by util-linux and iproute2: there is no safe call that does it.

mod inside;
mod names;
mod relay;

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Stdio,
};

use rustix::process::{getgid, getuid};
use tokenrig::Addresses;
use tokio::process::Command;

pub(crate) use self::inside::run;
use self::relay::Relay;
use crate::inherited;

/// The sockets between the two sides, in the rig's folder.
const GATEWAY: &str = "gateway.sock";
const METADATA: &str = "metadata.sock";
const CONTROL: &str = "control.sock";

/// Makes a user, a network and a mount namespace; `--map-root-user` because only root of one may set up the others.
const UNSHARE: [&str; 5] = ["unshare", "--user", "--map-root-user", "--net", "--mount"];

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetnsFault {
    /// A program that is needed is not there.
    #[error("`{0}` is not on the path")]
    Missing(&'static str),
    /// The kernel, or who confines this process, says no.
    #[error("this machine gives no network namespace: {0}")]
    Denied(String),
    /// Something went wrong on the way.
    #[error("{what}: {why}")]
    Io { what: String, why: std::io::Error },
}

impl NetnsFault {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Missing(_) => {
                "install util-linux (`unshare`, `mount`) and iproute2 (`ip`), or leave `--route netns` out"
            }
            Self::Denied(_) => {
                "let users make namespaces: `sysctl user.max_user_namespaces` must not be 0, nor `kernel.unprivileged_userns_clone`; \
                 `kernel.apparmor_restrict_unprivileged_userns` must be 0; a container needs `--cap-add SYS_ADMIN` or \
                 `--security-opt seccomp=unconfined`. Or leave `--route netns` out"
            }
            Self::Io { .. } => "leave `--route netns` out; nearly all clients obey the proxy variables",
        }
    }
}

/// The words that run a command inside, and what must live as long as it.
pub(crate) struct Route {
    pub(crate) words: Vec<OsString>,
    _relays: Vec<Relay>,
}

/// Opens the way from inside to the rig, with files and sockets in `folder`.
///
/// # Errors
///
/// [`NetnsFault`] if this machine gives no namespaces, or a socket cannot be made.
pub(crate) async fn route(folder: &Path, outside: Addresses, command: &[OsString]) -> Result<Route, NetnsFault> {
    allowed().await?;
    let io = |what: &str| {
        let what = what.to_owned();
        move |why| NetnsFault::Io { what, why }
    };
    let mut relays = Vec::new();
    for (name, to) in [(GATEWAY, outside.gateway), (METADATA, outside.metadata), (CONTROL, outside.control)] {
        relays.push(Relay::from_path(&folder.join(name), to).map_err(io("cannot make a socket in the rig's folder"))?);
    }
    let own = inherited::own_binary().map_err(io("cannot find this program"))?;
    let mut words: Vec<OsString> = UNSHARE.iter().map(OsString::from).collect();
    let number = |number: u32| OsString::from(number.to_string());
    words.extend(["--".into(), own.into(), "netns-inside".into(), "--folder".into(), folder.into()]);
    words.extend(["--control".into(), number(outside.control.port().into())]);
    words.extend([
        "--user".into(),
        number(getuid().as_raw()),
        "--group".into(),
        number(getgid().as_raw()),
        "--".into(),
    ]);
    words.extend(command.iter().cloned());
    Ok(Route { words, _relays: relays })
}

/// Whether this machine gives namespaces.
async fn allowed() -> Result<(), NetnsFault> {
    for program in ["unshare", "ip", "mount"] {
        let version = call(program, ["-V"]).await;
        if matches!(&version, Err(fault) if fault.kind() == std::io::ErrorKind::NotFound) {
            return Err(NetnsFault::Missing(program));
        }
    }
    let [program, arguments @ ..] = UNSHARE;
    let arguments = arguments.into_iter().chain(["--", "ip", "link", "set", "lo", "up"]);
    match call(program, arguments).await {
        Ok(None) => Ok(()),
        Ok(Some(said)) => Err(NetnsFault::Denied(said)),
        Err(why) => Err(NetnsFault::Denied(why.to_string())),
    }
}

/// Runs a tool; what it said if it failed.
async fn call(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> std::io::Result<Option<String>> {
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Ok((!ended.status.success()).then(|| if said.is_empty() { ended.status.to_string() } else { said }))
}
