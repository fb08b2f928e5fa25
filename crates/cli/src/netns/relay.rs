//! Connections passed on as they come, byte by byte.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokenrig_clock::real;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::{AbortHandle, JoinSet},
};

/// Before the next try when nothing can be accepted, as when all file descriptors are in use.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener that passes on what comes. It ends, with its connections, when it is dropped.
pub(crate) struct Relay {
    task: AbortHandle,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// From a socket with this path to an address. Who may enter the folder may connect.
    pub(crate) fn from_path(path: &Path, to: SocketAddr) -> io::Result<Self> {
        // Of an earlier command in the same folder.
        if path.exists() {
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((from, _)) => drop(open.spawn(pass(from, TcpStream::connect(to)))),
                    Err(fault) => wait(&fault).await,
                }
                while open.try_join_next().is_some() {}
            }
        });
        Ok(Self { task: task.abort_handle() })
    }

    /// From an address to a socket with this path.
    pub(crate) async fn from_address(address: SocketAddr, path: PathBuf) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((from, _)) => {
                        // Small messages to and fro: waiting for more of them only delays.
                        let _ = from.set_nodelay(true);
                        let path = path.clone();
                        open.spawn(pass(from, async move { UnixStream::connect(path).await }));
                    }
                    Err(fault) => wait(&fault).await,
                }
                while open.try_join_next().is_some() {}
            }
        });
        Ok(Self { task: task.abort_handle() })
    }
}

async fn wait(fault: &io::Error) {
    tracing::debug!(%fault, "a connection was not accepted");
    real::pause(PAUSE).await;
}

/// Both ways, until both have ended. How long an idle connection may last is for its two ends to say.
async fn pass<F, T>(mut from: F, to: impl Future<Output = io::Result<T>>)
where
    F: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    match to.await {
        Ok(mut to) => {
            if let Err(fault) = copy_bidirectional(&mut from, &mut to).await {
                tracing::debug!(%fault, "a connection broke");
            }
        }
        Err(fault) => tracing::debug!(%fault, "a connection was not passed on"),
    }
}
