//! The access tokens that were issued.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, RwLock},
};

use tokenrig_clock::Timestamp;
use tokenrig_policy::{AccessBoundary, Identity};

use crate::{
    caller::TokenKind,
    derive::sha256,
    sync::{read, write},
};

/// An access token as it was issued; the token itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Whom it stands for.
    pub identity: Identity,
    /// What it is good for: OAuth scopes.
    pub scopes: Vec<String>,
    /// The OAuth client that it was issued to, for a user's.
    pub client: Option<String>,
    /// What kind it is.
    pub kind: TokenKind,
    /// When it was issued, in whole seconds.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What it permits at most, if it was downscoped.
    pub boundary: Option<Arc<AccessBoundary>>,
    /// The project whose quota calls with it count on, if the exchange named one.
    pub user_project: Option<Arc<str>>,
}

type Digest = [u8; 32];

/// Tokens by their digest. Only looked up, never gone through: the order of hashing shows nowhere.
#[derive(Debug, Default)]
pub(crate) struct Ledger(RwLock<Book>);

#[derive(Debug, Default)]
struct Book {
    by_digest: HashMap<Digest, Arc<Issued>>,
    /// In the order of issue.
    order: VecDeque<Digest>,
}

impl Ledger {
    /// Remembers a token. Beyond `limit` tokens the oldest is forgotten.
    pub(crate) fn put(&self, token: &str, issued: Issued, limit: usize) {
        let digest = sha256(&[token.as_bytes()]);
        let mut book = write(&self.0);
        while book.order.len() >= limit.max(1) {
            if let Some(oldest) = book.order.pop_front() {
                book.by_digest.remove(&oldest);
            }
        }
        book.order.push_back(digest);
        book.by_digest.insert(digest, Arc::new(issued));
    }

    pub(crate) fn find(&self, token: &str) -> Option<Arc<Issued>> {
        let digest = sha256(&[token.as_bytes()]);
        read(&self.0).by_digest.get(&digest).cloned()
    }
}
