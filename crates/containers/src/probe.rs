//! Whether a container listens.

use std::{net::Ipv4Addr, time::Duration};

use tokenrig_clock::real::{pause, within};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// Between two looks.
const PROBE: Duration = Duration::from_millis(20);
/// How long a connection must last to count.
const LASTS: Duration = Duration::from_millis(50);

/// Returns once a published port takes connections.
pub(crate) async fn listens(port: u16) {
    while !takes_connections(port).await {
        pause(PROBE).await;
    }
}

/// The engine's own proxy takes every connection to a published port, and drops it at once if nobody listens behind it.
async fn takes_connections(port: u16) -> bool {
    let Ok(mut connection) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return false };
    let mut first = [0];
    match within(LASTS, connection.read(&mut first)).await {
        // It waits for a request, or speaks first as HTTP/2 does.
        Err(_) | Ok(Ok(1..)) => true,
        Ok(Ok(0) | Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    use super::*;

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    #[tokio::test]
    async fn who_holds_a_connection_listens() {
        let (_listener, port) = listener().await;
        assert!(takes_connections(port).await);
    }

    #[tokio::test]
    async fn who_speaks_first_listens() {
        let (listener, port) = listener().await;
        let speaks = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(b"\0").await.unwrap();
            connection
        };
        assert!(tokio::join!(takes_connections(port), speaks).0);
    }

    #[tokio::test]
    async fn who_takes_a_connection_and_drops_it_does_not_listen() {
        let (listener, port) = listener().await;
        let drops = async { drop(listener.accept().await.unwrap()) };
        assert!(!tokio::join!(takes_connections(port), drops).0);
    }

    #[tokio::test]
    async fn where_nobody_is_nobody_listens() {
        let (listener, port) = listener().await;
        drop(listener);
        assert!(!takes_connections(port).await);
    }
}
