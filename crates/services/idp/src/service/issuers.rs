//! The issuers of one rig.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokenrig_clock::{SharedClock, Timestamp};
use tokenrig_jose::{Algorithm, forge::Flaw};

use super::{
    flow::Flows,
    keys::{Key, Keyring},
};
use crate::{
    assumptions::Settings,
    model::{Address, DOMAIN, Issuer, IssuerFault, IssuerPatch, IssuerSpec, Misbehaviour, check_id},
    upstream::Upstream,
};

/// The issuers of one rig: added, changed and asked while it runs. Copies share them.
#[derive(Clone)]
pub struct Issuers(Arc<Shared>);

struct Shared {
    clock: SharedClock,
    seed: String,
    settings: Settings,
    /// How many generations of keys there have been, of all issuers.
    generations: AtomicUsize,
    entries: RwLock<BTreeMap<String, Entry>>,
    flows: Flows,
}

pub(super) struct Entry {
    pub(super) address: Address,
    pub(super) misbehaves: Misbehaviour,
    pub(super) algorithm: Algorithm,
    pub(super) keyring: Keyring,
    /// What is wrong with the ID tokens of its code flow.
    pub(super) flaw: Option<Flaw>,
    strikes: BTreeMap<Misbehaviour, u64>,
    upstream: Option<Arc<Upstream>>,
    /// Somebody else serves its host, and hands its requests on.
    elsewhere: bool,
}

impl Issuers {
    /// No issuers yet. Key ids come from the seed; tokens get their times from the clock.
    #[must_use]
    pub fn new(clock: SharedClock, seed: impl Into<String>) -> Self {
        Self::with_settings(clock, seed, Settings::default())
    }

    /// No issuers yet, with other settings than the default ones.
    #[must_use]
    pub fn with_settings(clock: SharedClock, seed: impl Into<String>, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            clock,
            seed: seed.into(),
            settings,
            generations: AtomicUsize::new(0),
            entries: RwLock::default(),
            flows: Flows::default(),
        }))
    }

    /// Adds an issuer, which answers at once.
    ///
    /// # Errors
    ///
    /// [`IssuerFault`] if its id or address is not good or taken, or if it asks for what is not built.
    pub fn add(&self, spec: IssuerSpec) -> Result<Issuer, IssuerFault> {
        let IssuerSpec { id, issuer, misbehaves, algorithm, flaw, upstream } = spec;
        check_id(&id)?;
        let upstream = upstream.map(|url| Upstream::read(&url)).transpose()?.map(Arc::new);
        well_behaved(&id, upstream.is_some(), misbehaves)?;
        let address = Address::read(&issuer.unwrap_or_else(|| format!("https://{id}.{DOMAIN}")))?;
        let mut entries = self.write();
        if entries.contains_key(&id) {
            return Err(IssuerFault::Exists(id));
        }
        free(&entries, &id, &address)?;
        let keyring = Keyring::new(&id, self.next_keys());
        let strikes = BTreeMap::new();
        let entry = Entry { address, misbehaves, algorithm, keyring, flaw, strikes, upstream, elsewhere: false };
        let view = entry.view(&id);
        entries.insert(id, entry);
        Ok(view)
    }

    /// An issuer by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Issuer> {
        self.read().get(id).map(|entry| entry.view(id))
    }

    /// All issuers, by id.
    #[must_use]
    pub fn list(&self) -> Vec<Issuer> {
        self.read().iter().map(|(id, entry)| entry.view(id)).collect()
    }

    /// Changes an issuer.
    ///
    /// # Errors
    ///
    /// [`IssuerFault`] if there is none with this id, or as [`add`](Self::add).
    pub fn patch(&self, id: &str, patch: IssuerPatch) -> Result<Issuer, IssuerFault> {
        let IssuerPatch { issuer, misbehaves, algorithm, flaw, upstream } = patch;
        let upstream = upstream.map(|url| Upstream::read(&url)).transpose()?.map(Arc::new);
        let address = issuer.map(|issuer| Address::read(&issuer)).transpose()?;
        let mut entries = self.write();
        if let Some(address) = &address {
            free(&entries, id, address)?;
        }
        let entry = entries.get_mut(id).ok_or_else(|| IssuerFault::Unknown(id.to_owned()))?;
        let misbehaves = misbehaves.unwrap_or(entry.misbehaves);
        well_behaved(id, upstream.is_some() || entry.upstream.is_some(), misbehaves)?;
        if let Some(address) = address {
            entry.address = address;
            entry.elsewhere = false;
        }
        entry.upstream = upstream.or(entry.upstream.take());
        entry.misbehaves = misbehaves;
        entry.algorithm = algorithm.unwrap_or(entry.algorithm);
        entry.flaw = flaw.unwrap_or(entry.flaw);
        Ok(entry.view(id))
    }

    /// Says that an issuer is at an address whose host somebody else serves, such as a Cloud Run service's. That one
    /// hands the issuer's requests to [`router`](crate::router).
    ///
    /// # Errors
    ///
    /// [`IssuerFault`] if there is no issuer with this id, or if the address is not good or taken.
    pub fn serve_elsewhere(&self, id: &str, issuer: &str) -> Result<Issuer, IssuerFault> {
        self.patch(id, IssuerPatch { issuer: Some(issuer.to_owned()), ..IssuerPatch::default() })?;
        let mut entries = self.write();
        let entry = entries.get_mut(id).ok_or_else(|| IssuerFault::Unknown(id.to_owned()))?;
        entry.elsewhere = true;
        Ok(entry.view(id))
    }

    /// Replaces the keys of an issuer. The old ones sign no more and stay published for as long as tokens live.
    ///
    /// # Errors
    ///
    /// [`IssuerFault::Unknown`], [`IssuerFault::Real`].
    pub fn rotate(&self, id: &str) -> Result<Issuer, IssuerFault> {
        let now = self.now();
        let mut entries = self.write();
        let entry = entries.get_mut(id).ok_or_else(|| IssuerFault::Unknown(id.to_owned()))?;
        if entry.is_real() {
            return Err(IssuerFault::Real { issuer: id.to_owned(), what: "replaces its keys" });
        }
        entry.keyring.replace(self.next_keys(), now, self.0.settings.keep_replaced_keys);
        Ok(entry.view(id))
    }

    /// The id of the key that an issuer signs with now: that of an algorithm, or of its usual one. Nothing if a real
    /// provider signs.
    #[must_use]
    pub fn kid(&self, id: &str, algorithm: Option<Algorithm>) -> Option<String> {
        let key = self.with(id, |entry| {
            (!entry.is_real()).then(|| entry.key(algorithm.unwrap_or(entry.algorithm))).flatten()
        })??;
        Some(key.kid(&self.0.seed).to_owned())
    }

    /// Whether an issuer of ours serves this host. Ports and letter case do not matter.
    #[must_use]
    pub fn serves(&self, host: &str) -> bool {
        let host = plain_host(host);
        self.read().values().any(|entry| !entry.elsewhere && entry.address.host == host)
    }

    /// Whether this host must show a certificate of another name ([`Misbehaviour::WrongCertificate`]). Whoever ends TLS
    /// asks at each handshake; that is when it strikes.
    #[must_use]
    pub fn wrong_certificate(&self, host: &str) -> bool {
        let host = plain_host(host);
        let wrong = |entry: &Entry| entry.misbehaves == Misbehaviour::WrongCertificate && entry.address.host == host;
        // Handshakes are many and this switch is rare: no writing unless it is on.
        if !self.read().values().any(wrong) {
            return false;
        }
        let mut entries = self.write();
        entries
            .values_mut()
            .filter(|entry| wrong(entry))
            .for_each(|entry| entry.strike(Misbehaviour::WrongCertificate));
        true
    }

    /// Whose a path on a host is. The issuer with the longest path wins, where several share a host.
    pub(crate) fn find<'p>(&self, host: &str, path: &'p str) -> Option<(String, Way<'p>)> {
        let host = plain_host(host);
        let entries = self.read();
        let here = entries.iter().filter(|(_, entry)| entry.address.host == host);
        let found = here.filter_map(|(id, entry)| Some((id, entry.matched(path)?, entry.way(path)?)));
        found.max_by_key(|(_, matched, _)| *matched).map(|(id, _, way)| (id.clone(), way))
    }

    /// How an issuer answers at a path.
    pub(crate) fn way<'p>(&self, id: &str, path: &'p str) -> Option<Way<'p>> {
        self.read().get(id).and_then(|entry| entry.way(path))
    }

    pub(super) fn with<T>(&self, id: &str, look: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.read().get(id).map(look)
    }

    pub(super) fn strike(&self, id: &str, misbehaviour: Misbehaviour) {
        if let Some(entry) = self.write().get_mut(id) {
            entry.strike(misbehaviour);
        }
    }

    fn next_keys(&self) -> usize {
        self.0.generations.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn seed(&self) -> &str {
        &self.0.seed
    }

    pub(super) fn flows(&self) -> &Flows {
        &self.0.flows
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    // A panic elsewhere leaves no entry half changed, so a poisoned lock is as good as another.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Entry>> {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Entry>> {
        self.0.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.read().iter().map(|(id, entry)| (id, &entry.address.issuer))).finish()
    }
}

/// How an issuer answers at a path.
pub(crate) enum Way<'p> {
    /// By itself; this is what follows the issuer in the path.
    Own(&'p str),
    /// By a real provider, which is told the issuer's host and port, at this path of its own.
    Real(Arc<Upstream>, String, String),
}

impl Entry {
    /// How much of a path is this issuer's own; nothing if the path is not one of its own.
    fn matched(&self, path: &str) -> Option<usize> {
        match self.address.within(path) {
            Some(_) => Some(self.address.base.len() + 1),
            None => self.has_host().then_some(0),
        }
    }

    /// Whether a provider with the same path stands behind it: to that go the host's other paths, too.
    fn has_host(&self) -> bool {
        self.upstream.as_ref().is_some_and(|upstream| upstream.base == self.address.base)
    }

    fn way<'p>(&self, path: &'p str) -> Option<Way<'p>> {
        let rest = self.address.within(path);
        let Some(upstream) = &self.upstream else { return rest.map(Way::Own) };
        let path = match rest {
            Some(rest) => format!("{}{rest}", upstream.base),
            None if self.has_host() => path.to_owned(),
            None => return None,
        };
        Some(Way::Real(Arc::clone(upstream), self.address.authority().to_owned(), path))
    }

    /// Whether a real provider stands behind it.
    pub(super) fn is_real(&self) -> bool {
        self.upstream.is_some()
    }

    /// The key that signs now.
    pub(super) fn key(&self, algorithm: Algorithm) -> Option<Arc<Key>> {
        self.keyring.present(algorithm).cloned()
    }

    fn strike(&mut self, misbehaviour: Misbehaviour) {
        let count = self.strikes.entry(misbehaviour).or_default();
        *count = count.saturating_add(1);
    }

    fn view(&self, id: &str) -> Issuer {
        Issuer {
            id: id.to_owned(),
            issuer: self.address.issuer.clone(),
            host: self.address.host.clone(),
            misbehaves: self.misbehaves,
            algorithm: self.algorithm,
            flaw: self.flaw,
            upstream: self.upstream.as_ref().map(|upstream| upstream.url.clone()),
            strikes: self.strikes.clone(),
        }
    }
}

/// A real provider behaves as it does. Only its certificate is shown by somebody else.
fn well_behaved(id: &str, upstream: bool, misbehaves: Misbehaviour) -> Result<(), IssuerFault> {
    if !upstream || matches!(misbehaves, Misbehaviour::None | Misbehaviour::WrongCertificate) {
        return Ok(());
    }
    Err(IssuerFault::Real { issuer: id.to_owned(), what: "misbehaves" })
}

/// Whether an address is nobody else's.
fn free(entries: &BTreeMap<String, Entry>, id: &str, address: &Address) -> Result<(), IssuerFault> {
    let same = |entry: &Entry| entry.address.host == address.host && entry.address.base == address.base;
    match entries.iter().find(|(other, entry)| *other != id && same(entry)) {
        Some((other, _)) => Err(IssuerFault::Taken { issuer: address.issuer.clone(), other: other.clone() }),
        None => Ok(()),
    }
}

fn plain_host(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
