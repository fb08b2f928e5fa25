//! The side of the command: a loopback of its own, on which Google is.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use tokio::task::JoinSet;

use super::{CONTROL, GATEWAY, METADATA, NetnsFault, call, names, relay::Relay};
use crate::{arguments::NetnsInside, child, inherited::Environment, signals::Signals, tell};

/// Names come from files and from the name server inside; other sources would be asked outside, by sockets with paths.
const NSSWITCH: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n";
const RESOLV: &str = "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n";
const HOSTS: &str = "127.0.0.1 localhost\n169.254.169.254 metadata.google.internal metadata\n";
/// Where the cache of names of the machine outside would be asked.
const NAME_CACHES: [&str; 2] = ["/run/nscd", "/var/run/nscd"];

/// Sets the namespaces up, in which this process already is, and runs the command to its end; its exit code.
pub(crate) async fn run(wanted: NetnsInside) -> u8 {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    // What stands here serves until the command has ended.
    let _served = match set_up(&wanted).await {
        Ok(served) => served,
        Err(fault) => {
            tell::error(&fault.to_string(), Some(fault.help()));
            return 3;
        }
    };
    let mut command = wanted.command;
    if wanted.user != 0 {
        // Inside it is root, which it is not to its user: programs differ for it. A namespace more, and it is itself.
        let own = ["unshare".to_owned(), "--user".to_owned(), format!("--map-user={}", wanted.user)];
        let own = own.into_iter().chain([format!("--map-group={}", wanted.group), "--".to_owned()]);
        command.splice(0..0, own.map(Into::into));
    }
    child::run(&command, Environment::default(), &mut signals).await
}

async fn set_up(wanted: &NetnsInside) -> Result<(Vec<Relay>, JoinSet<()>), NetnsFault> {
    let metadata = names::METADATA.to_string();
    tool("ip", &["link", "set", "lo", "up"]).await?;
    tool("ip", &["address", "add", &format!("{metadata}/32"), "dev", "lo"]).await?;
    for (name, text) in [("hosts", HOSTS), ("resolv.conf", RESOLV), ("nsswitch.conf", NSSWITCH)] {
        let own = wanted.folder.join(name);
        fs::write(&own, text).map_err(|why| NetnsFault::Io { what: format!("cannot write {}", own.display()), why })?;
        let over = Path::new("/etc").join(name);
        // Without one there is nothing to cover, and the C library's own default is what these files say.
        if over.exists() {
            tool("mount", &["--bind", &own.to_string_lossy(), &over.to_string_lossy()]).await?;
        }
    }
    for folder in NAME_CACHES {
        // A link to a folder that is already covered.
        if fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
            tool("mount", &["-t", "tmpfs", "none", folder]).await?;
        }
    }
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let mut relays = Vec::new();
    for (address, socket) in [
        (local(443), GATEWAY),
        (local(80), GATEWAY),
        (local(wanted.control), CONTROL),
        (SocketAddr::new(IpAddr::V4(names::METADATA), 80), METADATA),
    ] {
        let relay = Relay::from_address(address, wanted.folder.join(socket)).await;
        relays.push(relay.map_err(|why| listening(address, why))?);
    }
    let mut served = JoinSet::new();
    let address = local(53);
    served.spawn(names::serve(address).await.map_err(|why| listening(address, why))?);
    Ok((relays, served))
}

fn listening(address: SocketAddr, why: io::Error) -> NetnsFault {
    NetnsFault::Io { what: format!("cannot listen at {address} of the namespace"), why }
}

/// A step of the setting up.
async fn tool(program: &'static str, arguments: &[&str]) -> Result<(), NetnsFault> {
    match call(program, arguments).await {
        Ok(None) => Ok(()),
        Ok(Some(said)) => Err(NetnsFault::Denied(format!("`{program} {}`: {said}", arguments.join(" ")))),
        Err(why) => Err(NetnsFault::Io { what: format!("cannot run `{program}`"), why }),
    }
}
