//! gRPC as little as it can be: a client and a server that answers everything alike, on hyper alone.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http2::{SendRequest, handshake},
    server::conn::http2::Builder,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tokenrig_protos::prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{
    empty::{Shown, free_port},
    load::{Target, trusting},
};

const H2: &[u8] = b"h2";
/// Before each message: whether it is compressed, and its length.
const FRAME: usize = 5;

/// A message in its frame.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(FRAME + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // It has all the room that it asked for.
    let _ = message.encode(&mut framed);
    framed.freeze()
}

/// One connection to a server.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: HeaderValue,
}

impl Client {
    pub(crate) async fn connect(target: &Target, token: &str) -> Result<Self, String> {
        let told = |fault: &dyn std::fmt::Display| format!("cannot connect to {}: {fault}", target.host);
        let mut config = (*trusting(target.trusted.clone())?).clone();
        config.alpn_protocols = vec![H2.to_vec()];
        let stream = TcpStream::connect(target.addr).await.map_err(|fault| told(&fault))?;
        stream.set_nodelay(true).map_err(|fault| told(&fault))?;
        let name = ServerName::try_from(target.host.clone()).map_err(|fault| told(&fault))?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|fault| told(&fault))?;
        let made = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|fault| told(&fault))?;
        tokio::spawn(connection);
        let token = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|fault| told(&fault))?;
        Ok(Self { sender, host: target.host.clone(), token })
    }

    /// Calls a method with a framed message; gives the answer's, framed.
    pub(crate) async fn call(&mut self, method: &str, message: Bytes) -> Result<Bytes, String> {
        let told = |fault: &dyn std::fmt::Display| format!("{method} got no answer: {fault}");
        let request = Request::post(format!("https://{}/{method}", self.host))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", &self.token)
            .body(Full::new(message))
            .map_err(|fault| told(&fault))?;
        self.sender.ready().await.map_err(|fault| told(&fault))?;
        let answer = self.sender.send_request(request).await.map_err(|fault| told(&fault))?;
        let head = answer.headers().clone();
        let body = answer.into_body().collect().await.map_err(|fault| told(&fault))?;
        let end = body.trailers().unwrap_or(&head);
        match end.get("grpc-status").map(HeaderValue::as_bytes) {
            Some(b"0") => Ok(body.to_bytes()),
            _ => Err(format!("{method} ended with {:?} {:?}", end.get("grpc-status"), end.get("grpc-message"))),
        }
    }
}

/// The message in a frame.
pub(crate) fn opened<M: Message + Default>(mut framed: Bytes) -> Result<M, String> {
    if framed.len() < FRAME {
        return Err("an answer without a message".to_owned());
    }
    framed.advance(FRAME);
    M::decode(framed).map_err(|fault| fault.to_string())
}

/// A server behind TLS that gives the same message to every call.
pub(crate) struct EmptyGrpc {
    listener: TcpListener,
    shown: Shown,
}

impl EmptyGrpc {
    pub(crate) async fn listen(names: Vec<String>) -> Result<Self, String> {
        let mut shown = Shown::make(names)?;
        let mut config = (*shown.config).clone();
        config.alpn_protocols = vec![H2.to_vec()];
        shown.config = Arc::new(config);
        Ok(Self { listener: free_port().await?, shown })
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|fault| format!("an address is missing: {fault}"))
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.shown.certificate
    }

    /// Answers, for as long as it is polled.
    pub(crate) async fn serve(self, message: Bytes) -> Infallible {
        let acceptor = TlsAcceptor::from(self.shown.config);
        loop {
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (acceptor, message) = (acceptor.clone(), message.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(move |request| answer(request, message.clone()));
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    message: Bytes,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
    // Nothing is made of it, but it is read.
    let _ = request.into_body().collect().await;
    let trailers =
        HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let body = Full::new(message).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(response)
}
