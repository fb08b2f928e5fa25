//! The network face of a rig: one port behind which every host is, with a local certificate authority.
//!
//! Unmodified clients use Google's real host names. They reach a [`Gateway`] as their proxy (CONNECT, or absolute-form
//! requests in clear), or because those names lead to its address. It ends TLS with a leaf of the local [`Authority`] for
//! the name asked for, offers HTTP/2 and HTTP/1.1, and hands each request to the router that plays its host. Hosts that
//! nobody plays are refused and counted: nothing leaves the machine. [`Plain`] serves one router in clear on a port of
//! its own, and [`Dialer`] is a client that reaches every host through a gateway.
//!
//! What a peer may cost is bounded by [`Limits`]. Bodies that a handler leaves unread are read to their end within
//! bounds, because HTTP/2 clients fail otherwise. A handler that panics answers 500.
//!
//! Sources: RFC 9110, 9112 and 9113 (HTTP), RFC 8446 (TLS 1.3), RFC 7301 (ALPN), RFC 5280 and 9525 (certificates), and
//! what the official clients were seen to send.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use tokenrig_gateway::{Authority, DialError, Find, Gateway, Limits};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let google = Router::new().route("/hello", get(|| async { "hello" }));
//! let find: Find = Arc::new(move |host| (host == "sts.googleapis.com").then(|| google.clone()));
//! let authority = Authority::new().unwrap();
//! let gateway = Gateway::start("127.0.0.1:0".parse().unwrap(), find, authority, Limits::default()).await.unwrap();
//!
//! let get = |url: &str| Request::get(url).body(Body::empty()).unwrap();
//! let dialer = gateway.dialer();
//! let answer = dialer.fetch(get("https://sts.googleapis.com/hello"), Duration::from_secs(5), 1024).await.unwrap();
//! assert_eq!(answer.body(), "hello");
//!
//! let refused = dialer.send(get("https://example.com/")).await.unwrap_err();
//! assert!(matches!(refused, DialError::NotPlayed(host) if host == "example.com"));
//! assert_eq!(gateway.refused_hosts().hosts[0].count, 1);
//! # });
//! ```

mod authority;
mod body;
mod connection;
mod connector;
mod dial;
mod gateway;
mod inside;
mod limits;
mod names;
mod peer;
mod plain;
mod refused;
mod route;
mod server;
mod sniff;
mod target;
mod tls;
mod watch;

pub use crate::{
    authority::{Authority, AuthorityError, ChooseLeaf, Shown, TRUST_STORE_PASSWORD},
    dial::{DialError, Dialer},
    gateway::{Find, Gateway},
    inside::Inside,
    limits::Limits,
    peer::Peer,
    plain::Plain,
    refused::{Refused, RefusedHost},
};
