//! Issuers that only sign: nobody can reach them, so that whoever is to trust one is told its keys.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokenrig_jose::{Algorithm, JwkSet, SigningKey, forge::flawed, key_id, protected_header, sign};
use tokenrig_runner::{MintKey, MintOrder, SiteFault};

/// The issuers of one case.
#[derive(Debug)]
pub(crate) struct Issuers(BTreeMap<String, Issuer>);

#[derive(Debug)]
struct Issuer {
    url: String,
    /// What it usually signs with.
    usual: Algorithm,
    /// Its keys, each with its id.
    keys: Vec<(String, SigningKey)>,
}

impl Issuers {
    /// The issuers that are given. One without a URL has one that leads nowhere, with the case's prefix in it. Each has a
    /// key per algorithm, another than its neighbour as far as `keys` reach, and ids that nobody else has.
    pub(crate) fn new(prefix: &str, given: &Map<String, Value>, keys: &Arc<[SigningKey]>) -> Self {
        let one = |(number, (id, fields)): (usize, (&String, &Value))| {
            let text = |field: &str| fields.get(field).and_then(Value::as_str);
            let url = text("issuer").map_or_else(|| format!("https://{prefix}-{id}.example"), str::to_owned);
            let of = |algorithm: Algorithm| {
                let fitting: Vec<_> = keys.iter().filter(|key| key.algorithm() == algorithm).collect();
                let key = *fitting.get(number.checked_rem(fitting.len())?)?;
                Some((key_id(prefix, &key.public(), id), key.clone()))
            };
            let usual = text("alg").and_then(|alg| alg.parse().ok()).unwrap_or(Algorithm::Rs256);
            let keys = [Algorithm::Rs256, Algorithm::Es256].into_iter().filter_map(of).collect();
            (id.clone(), Issuer { url, usual, keys })
        };
        Self(given.iter().enumerate().map(one).collect())
    }

    /// What expressions see of them.
    pub(crate) fn facts(&self) -> BTreeMap<String, Map<String, Value>> {
        let fields = |issuer: &Issuer| Map::from_iter([("issuer".to_owned(), json!(issuer.url))]);
        self.0.iter().map(|(id, issuer)| (id.clone(), fields(issuer))).collect()
    }

    /// The public keys of the issuer at `url`, if it is one of these. A slash at its end is no difference.
    pub(crate) fn published(&self, url: &str) -> Option<JwkSet> {
        let same = |issuer: &&Issuer| issuer.url.trim_end_matches('/') == url.trim_end_matches('/');
        let issuer = self.0.values().find(same)?;
        Some(issuer.keys.iter().map(|(id, key)| key.public().to_jwk(id)).collect())
    }

    /// Signs a token at `now`, which flaws of time lean on.
    pub(crate) fn mint(&self, order: &MintOrder, now: Timestamp) -> Result<String, SiteFault> {
        let unknown = || SiteFault::Unknown(format!("there is no issuer `{}`", order.issuer));
        let issuer = self.0.get(&order.issuer).ok_or_else(unknown)?;
        let wanted = |(id, key): &&(String, SigningKey)| match &order.key {
            MintKey::Current => key.algorithm() == issuer.usual,
            MintKey::Named(name) => name.parse() == Ok(key.algorithm()) || id == name,
        };
        let unknown = || SiteFault::Unknown(format!("issuer `{}` has no such key", order.issuer));
        let (id, key) = issuer.keys.iter().find(wanted).ok_or_else(unknown)?;
        let mut header = protected_header(key.algorithm(), id);
        for (name, value) in &order.header {
            match value {
                Value::Null => _ = header.shift_remove(name),
                value => _ = header.insert(name.clone(), value.clone()),
            }
        }
        Ok(match order.flaw {
            Some(flaw) => flawed(flaw, &header, &order.claims, key, now),
            None => sign(&header, &order.claims, key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuers() -> Issuers {
        let keys = [Algorithm::Es256, Algorithm::Es256].map(SigningKey::generate).into();
        let given =
            json!({ "corp": { "alg": "ES256" }, "shop": { "alg": "ES256", "issuer": "https://login.shop.example" } });
        Issuers::new("tr7x", given.as_object().unwrap(), &keys)
    }

    #[test]
    fn each_issuer_has_keys_and_ids_that_no_other_has() {
        let issuers = issuers();
        let of = |url| issuers.published(url).unwrap();
        let (corp, shop) = (of("https://tr7x-corp.example"), of("https://login.shop.example/"));
        let material = |set: &JwkSet| set.keys()[0].members()["x"].clone();
        assert_ne!(material(&corp), material(&shop));
        assert_ne!(corp.keys()[0].members()["kid"], shop.keys()[0].members()["kid"]);
        assert!(issuers.published("https://accounts.google.com").is_none());
    }

    #[test]
    fn a_token_names_the_key_that_its_issuer_publishes() {
        let issuers = issuers();
        let claims = json!({ "sub": "alice" }).as_object().unwrap().clone();
        let order =
            MintOrder { issuer: "corp".to_owned(), header: Map::new(), claims, key: MintKey::Current, flaw: None };
        let token = issuers.mint(&order, Timestamp::UNIX_EPOCH).unwrap();
        let keys = issuers.published("https://tr7x-corp.example").unwrap();
        assert_eq!(tokenrig_jose::peek(&token).unwrap().header["kid"], keys.keys()[0].members()["kid"]);
        let unknown = issuers.mint(&MintOrder { issuer: "nobody".to_owned(), ..order }, Timestamp::UNIX_EPOCH);
        assert!(matches!(unknown, Err(SiteFault::Unknown(_))));
    }
}
