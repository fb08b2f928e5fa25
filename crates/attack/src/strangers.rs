//! Where a stranger publishes keys: `jku` and `x5u` of hostile tokens point there.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Json, Router, extract::State, routing::get};
use serde_json::json;
use tokenrig_jose::{Algorithm, JwkSet, SigningKey, key_id, pool, x509};
use tokio::{net::TcpListener, task::JoinHandle};

/// A server on 127.0.0.1 with keys that nobody should fetch. It ends when dropped.
#[derive(Debug)]
pub struct Strangers {
    addr: SocketAddr,
    fetched: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Strangers {
    /// Starts it on a free port.
    ///
    /// # Errors
    ///
    /// There is no port to listen at.
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let fetched = Arc::new(AtomicUsize::new(0));
        let router = [Algorithm::Rs256, Algorithm::Es256].into_iter().fold(Router::new(), |router, algorithm| {
            let keys = async move |State(fetched): State<Arc<AtomicUsize>>| {
                fetched.fetch_add(1, Ordering::Relaxed);
                Json(json!(jwks(algorithm)))
            };
            let certificate = async move |State(fetched): State<Arc<AtomicUsize>>| {
                fetched.fetch_add(1, Ordering::Relaxed);
                pem(algorithm)
            };
            router
                .route(&format!("/{}/jwks", algorithm.name()), get(keys))
                .route(&format!("/{}/certificate.pem", algorithm.name()), get(certificate))
        });
        let router = router.with_state(Arc::clone(&fetched));
        let serving = tokio::spawn(async move {
            // It serves until it is dropped; a listener that fails then has nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { addr, fetched, serving })
    }

    pub(crate) fn jwks_url(&self, algorithm: Algorithm) -> String {
        format!("http://{}/{}/jwks", self.addr, algorithm.name())
    }

    pub(crate) fn certificate_url(&self, algorithm: Algorithm) -> String {
        format!("http://{}/{}/certificate.pem", self.addr, algorithm.name())
    }

    /// How often somebody has fetched what a token pointed to.
    #[must_use]
    pub fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The key that [`Flaw::Jku`](tokenrig::Flaw::Jku) signs with, whoever the signer is that it pretends to be.
fn strangers_key(algorithm: Algorithm) -> &'static SigningKey {
    pool::foreign(pool::of(algorithm, 0))
}

fn jwks(algorithm: Algorithm) -> JwkSet {
    let public = strangers_key(algorithm).public();
    [public.to_jwk(&key_id("", &public, "elsewhere"))].into_iter().collect()
}

fn pem(algorithm: Algorithm) -> String {
    let [from, to] = ["2020-01-01T00:00:00Z", "2049-12-31T23:59:59Z"].map(|time| time.parse());
    match (from, to) {
        (Ok(from), Ok(to)) => x509::self_signed_pem(strangers_key(algorithm), "somebody-else.example", from, to),
        _ => String::new(),
    }
}
