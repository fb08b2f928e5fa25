//! Service accounts and their keys.

mod keys;
mod store;

pub(crate) use keys::KeyRing;
pub use keys::{AccountKey, CreatedKey, KeyOrigin, SystemKey, UploadedKey};
pub(crate) use store::State;
pub use store::{AccountFault, Accounts, NewAccount, ServiceAccount};
