//! What issuers do: hold keys, publish them, sign.

mod flow;
mod form;
mod issuers;
mod keys;
mod mint;
mod publish;
mod subject_token;

pub(crate) use self::{
    flow::{Authorized, after_logout},
    form::Form,
    issuers::Way,
    mint::{MAX_CLAIMS_BYTES, algorithm, request},
    publish::{Document, Published},
    subject_token::{Asked, Told},
};
pub use self::{
    issuers::Issuers,
    mint::{KeyChoice, MintFault, MintOrder},
};
