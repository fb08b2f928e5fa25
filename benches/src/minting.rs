//! The least that can mint RS256 tokens over HTTP: hyper and aws-lc-rs, with nothing between.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::{Value, json};
use tokenrig_clock::Timestamp;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::empty::Shown;

const ISSUER: &str = "https://accounts.google.com";
const SUBJECT: &str = "107145139691231222712";
const EMAIL: &str = "caller@shop-test.iam.gserviceaccount.com";
const KEY_ID: &str = "6f7254101f56e41cf35c9926de84a2d552b4c6f1";

/// A server that answers every request with an ID token for the audience that its body asks for. It asks nobody who
/// calls, and keeps nothing.
pub(crate) struct Minting {
    listener: TcpListener,
    shown: Shown,
    key: Arc<RsaKeyPair>,
}

impl Minting {
    /// Listens at a free port of 127.0.0.1, with a certificate that is made for `names`.
    pub(crate) async fn listen(names: Vec<String>) -> Result<Self, String> {
        let (listener, shown) = (crate::empty::free_port().await?, Shown::make(names)?);
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no key could be made")?;
        Ok(Self { listener, shown, key: Arc::new(key) })
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|fault| format!("an address is missing: {fault}"))
    }

    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Answers, for as long as it is polled.
    pub(crate) async fn serve(self) -> Infallible {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.shown.config));
        loop {
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (acceptor, key) = (acceptor.clone(), Arc::clone(&self.key));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(Arc::clone(&key), request));
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

async fn answer(key: Arc<RsaKeyPair>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut response = match asked["audience"].as_str().and_then(|audience| token(&key, audience)) {
        Some(token) => Response::new(Full::from(json!({ "token": token }).to_string())),
        None => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    };
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json; charset=UTF-8"));
    Ok(response)
}

fn token(key: &RsaKeyPair, audience: &str) -> Option<String> {
    // 2026-01-15T09:00:00Z; what time it is costs next to nothing.
    let iat = Timestamp::from_second(1_768_467_600).ok()?.as_second();
    let header = json!({ "alg": "RS256", "kid": KEY_ID, "typ": "JWT" });
    let claims = json!({
        "aud": audience, "azp": SUBJECT, "email": EMAIL, "email_verified": true,
        "exp": iat + 3600, "iat": iat, "iss": ISSUER, "sub": SUBJECT,
    });
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let mut token = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).ok()?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token)
}
