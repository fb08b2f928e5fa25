//! Being built.

mod authority;
mod dial;
mod gateway;
mod limits;
mod names;
mod peer;
mod plain;
mod refused;

pub use crate::{
    authority::{Authority, AuthorityError, ChooseLeaf, Shown, TRUST_STORE_PASSWORD},
    dial::{DialError, Dialer},
    gateway::{Find, Gateway},
    limits::Limits,
    peer::Peer,
    plain::Plain,
    refused::{Refused, RefusedHost},
};
