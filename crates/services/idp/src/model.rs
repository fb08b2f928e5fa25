//! Issuers: what is said about one, its rules, and how it may misbehave.

use std::{collections::BTreeMap, fmt, str::FromStr};

use http::Uri;
use serde_json::Value;
use tokenrig_jose::{Algorithm, Map, forge::Flaw};

/// The domain under which an issuer without an address of its own is found, as `https://ID.idp.tokenrig.test`.
pub const DOMAIN: &str = "idp.tokenrig.test";

/// The longest issuer that is taken, in bytes.
const MAX_ISSUER: usize = 2048;

macro_rules! misbehaviours {
    ($($(#[$doc:meta])+ $word:ident = $name:literal,)+) => {
        /// How an issuer misbehaves, named for what its clients meet. Its `/token` goes on working, so that there are
        /// tokens to show.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Misbehaviour {
            $($(#[$doc])+ $word,)+
        }

        impl Misbehaviour {
            /// All of them, [`Misbehaviour::None`] first.
            pub const ALL: &[Self] = &[$(Self::$word,)+];

            /// Its name in given documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$word => $name,)+
                }
            }
        }
    };
}

misbehaviours! {
    /// Not at all.
    #[default]
    None = "none",
    /// The connection ends before the keys have come.
    KeysUnreachable = "keys-unreachable",
    /// Discovery document and keys come later than anybody waits.
    Slow = "slow",
    /// Discovery document and keys redirect, without end.
    Redirects = "redirects",
    /// Discovery document and keys answer 500.
    ServerError = "server-error",
    /// Discovery document and keys are an HTML page.
    Html = "html",
    /// The discovery document names another issuer.
    WrongIssuer = "wrong-issuer",
    /// The keys are published under other ids than tokens name.
    UnknownKid = "unknown-kid",
    /// The published keys are damaged.
    BadKeys = "bad-keys",
    /// The key set is larger than anybody reads.
    Oversized = "oversized",
    /// The host shows a certificate of another name. The service cannot do this itself: see
    /// [`Issuers::wrong_certificate`](crate::Issuers::wrong_certificate).
    WrongCertificate = "wrong-certificate",
    /// ID tokens of the code flow bear another nonce than was asked for.
    WrongNonce = "wrong-nonce",
    /// The userinfo endpoint tells of somebody else than the ID token.
    WrongUserinfo = "wrong-userinfo",
}

impl FromStr for Misbehaviour {
    type Err = IssuerFault;

    fn from_str(name: &str) -> Result<Self, IssuerFault> {
        let known = Self::ALL.iter().copied().find(|word| word.name() == name);
        known.ok_or_else(|| IssuerFault::Misbehaviour(name.to_owned()))
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an issuer cannot be as it was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerFault {
    /// There is no issuer with this id.
    #[error("there is no issuer `{0}`")]
    Unknown(String),
    /// There already is one with this id.
    #[error("there already is an issuer `{0}`")]
    Exists(String),
    /// Another issuer has this address.
    #[error("issuer `{other}` already is at {issuer}")]
    Taken {
        /// The address.
        issuer: String,
        /// Who has it.
        other: String,
    },
    /// The id is no host label.
    #[error(
        "the id of an issuer is 1 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or digit"
    )]
    Id,
    /// The address is no issuer.
    #[error("`issuer` must be an https URL without user, query and fragment, at most {MAX_ISSUER} bytes long")]
    Issuer,
    /// A field that an issuer does not have.
    #[error("an issuer has no field `{0}`")]
    Field(String),
    /// A field that is no string.
    #[error("`{0}` of an issuer must be a string")]
    NotText(&'static str),
    /// No such misbehaviour.
    #[error("`{0}` is not a way to misbehave")]
    Misbehaviour(String),
    /// No such algorithm.
    #[error("`alg` of an issuer is RS256 or ES256")]
    Algorithm,
    /// No such flaw.
    #[error("`flaw` of an issuer is what `mint` knows, or null")]
    Flaw,
    /// The address of a real provider is none.
    #[error(
        "`upstream` must be an http or https URL of this machine (127.0.0.1, localhost, [::1]) without user, query and fragment"
    )]
    Upstream,
    /// It is asked of an issuer behind which a real provider stands, and only that could do it.
    #[error("behind issuer `{issuer}` stands a real provider: it {what} by itself")]
    Real {
        /// The issuer's id.
        issuer: String,
        /// What the provider does.
        what: &'static str,
    },
}

/// What is said about a new issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSpec {
    /// Its id in given documents.
    pub id: String,
    /// Its `iss` and address; by default `https://ID.idp.tokenrig.test`.
    pub issuer: Option<String>,
    /// How it misbehaves.
    pub misbehaves: Misbehaviour,
    /// What it signs with unless a request asks for the other.
    pub algorithm: Algorithm,
    /// What is wrong with the ID tokens of its code flow.
    pub flaw: Option<Flaw>,
    /// A real provider on this machine that stands behind it, as `http://127.0.0.1:8080/realms/corp`: it answers at all
    /// paths. Its own address must be the issuer's, or its tokens and its discovery document name another one.
    pub upstream: Option<String>,
}

impl IssuerSpec {
    /// A well-behaved issuer at its default address, signing with RS256.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            issuer: None,
            misbehaves: Misbehaviour::None,
            algorithm: Algorithm::Rs256,
            flaw: None,
            upstream: None,
        }
    }

    /// Reads the fields of an issuer in a given document: `issuer`, `misbehaves`, `alg`, `flaw`, `upstream`.
    ///
    /// # Errors
    ///
    /// [`IssuerFault`], with the first field that is wrong.
    pub fn read(id: &str, fields: &Map) -> Result<Self, IssuerFault> {
        let mut spec = Self::new(id);
        let IssuerPatch { issuer, misbehaves, algorithm, flaw, upstream } = IssuerPatch::read(fields)?;
        spec.issuer = issuer;
        spec.misbehaves = misbehaves.unwrap_or_default();
        spec.algorithm = algorithm.unwrap_or(spec.algorithm);
        spec.flaw = flaw.flatten();
        spec.upstream = upstream;
        Ok(spec)
    }
}

/// What is to become different about an issuer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuerPatch {
    /// Its `iss` and address.
    pub issuer: Option<String>,
    /// How it misbehaves.
    pub misbehaves: Option<Misbehaviour>,
    /// What it signs with.
    pub algorithm: Option<Algorithm>,
    /// What is wrong with the ID tokens of its code flow from now on; `Some(None)`: nothing.
    pub flaw: Option<Option<Flaw>>,
    /// A real provider that stands behind it from now on.
    pub upstream: Option<String>,
}

impl IssuerPatch {
    /// Reads the fields to change, named as in a given document.
    ///
    /// # Errors
    ///
    /// [`IssuerFault`], with the first field that is wrong.
    pub fn read(fields: &Map) -> Result<Self, IssuerFault> {
        let mut patch = Self::default();
        for (name, value) in fields {
            let text = |field| value.as_str().ok_or(IssuerFault::NotText(field));
            match name.as_str() {
                "issuer" => patch.issuer = Some(text("issuer")?.to_owned()),
                "misbehaves" => patch.misbehaves = Some(text("misbehaves")?.parse()?),
                "alg" => patch.algorithm = Some(text("alg")?.parse().map_err(|_| IssuerFault::Algorithm)?),
                "flaw" if *value == Value::Null => patch.flaw = Some(None),
                "flaw" => patch.flaw = Some(Some(text("flaw")?.parse().map_err(|_| IssuerFault::Flaw)?)),
                "upstream" if *value != Value::Null => patch.upstream = Some(text("upstream")?.to_owned()),
                "upstream" => {}
                _ => return Err(IssuerFault::Field(name.clone())),
            }
        }
        Ok(patch)
    }
}

/// An issuer as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its id in given documents.
    pub id: String,
    /// Its `iss` and address.
    pub issuer: String,
    /// Its host, in lower case, without port.
    pub host: String,
    /// How it misbehaves.
    pub misbehaves: Misbehaviour,
    /// What it signs with unless a request asks for the other.
    pub algorithm: Algorithm,
    /// What is wrong with the ID tokens of its code flow.
    pub flaw: Option<Flaw>,
    /// The real provider behind it, if there is one.
    pub upstream: Option<String>,
    /// How often each misbehaviour has struck.
    pub strikes: BTreeMap<Misbehaviour, u64>,
}

/// An issuer's URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As it was written: the `iss` of tokens.
    pub(crate) issuer: String,
    /// Lower case, without port.
    pub(crate) host: String,
    /// Empty, or a path that starts with a slash and does not end with one.
    pub(crate) base: String,
}

impl Address {
    pub(crate) fn read(issuer: &str) -> Result<Self, IssuerFault> {
        let uri: Uri = issuer.parse().map_err(|_| IssuerFault::Issuer)?;
        let authority = uri.authority().ok_or(IssuerFault::Issuer)?;
        let wrong = issuer.len() > MAX_ISSUER
            || uri.scheme_str() != Some("https")
            || authority.as_str().contains('@')
            || authority.host().is_empty()
            || issuer.contains(['?', '#']);
        if wrong {
            return Err(IssuerFault::Issuer);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            host: authority.host().to_ascii_lowercase(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The issuer without the slash at its end: what paths are appended to.
    pub(crate) fn prefix(&self) -> &str {
        self.issuer.trim_end_matches('/')
    }

    /// Host, and port if it has one.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.issuer.strip_prefix("https://").unwrap_or(&self.issuer);
        rest.split('/').next().unwrap_or(rest)
    }

    /// What follows the issuer in a path on its host, if the path is one of this issuer's.
    pub(crate) fn within<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.base.as_str()).filter(|rest| rest.starts_with('/'))
    }
}

/// The id of an issuer is a label of its default host.
pub(crate) fn check_id(id: &str) -> Result<(), IssuerFault> {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = id.as_bytes();
    let good = (1..=63).contains(&bytes.len())
        && bytes.iter().all(|c| plain(*c) || *c == b'-')
        && bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain);
    if good { Ok(()) } else { Err(IssuerFault::Id) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("corp")]
    #[case("c")]
    #[case("7-eleven")]
    fn a_host_label_is_an_id(#[case] id: &str) {
        assert_eq!(check_id(id), Ok(()));
    }

    #[rstest]
    #[case::empty("")]
    #[case::capitals("Corp")]
    #[case::a_dot("corp.eu")]
    #[case::a_hyphen_at_the_start("-corp")]
    #[case::a_hyphen_at_the_end("corp-")]
    #[case::too_long("a23456789-123456789-123456789-123456789-123456789-123456789-1234")]
    fn what_is_no_host_label_is_no_id(#[case] id: &str) {
        assert_eq!(check_id(id), Err(IssuerFault::Id));
    }

    #[rstest]
    #[case::a_host("https://login.corp.example", "login.corp.example", "")]
    #[case::a_slash_at_the_end("https://tenant.auth0.example/", "tenant.auth0.example", "")]
    #[case::a_path("https://Kc.example/realms/Corp", "kc.example", "/realms/Corp")]
    #[case::a_port("https://login.corp.example:8443/a/", "login.corp.example", "/a")]
    fn an_issuer_is_taken_apart_and_kept_as_written(#[case] issuer: &str, #[case] host: &str, #[case] base: &str) {
        let address = Address::read(issuer).unwrap();
        assert_eq!((address.issuer.as_str(), address.host.as_str(), address.base.as_str()), (issuer, host, base));
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_scheme("login.corp.example")]
    #[case::http("http://login.corp.example")]
    #[case::no_host("https:///path")]
    #[case::a_user("https://a@login.corp.example")]
    #[case::a_query("https://login.corp.example?a=b")]
    #[case::a_fragment("https://login.corp.example/#a")]
    #[case::a_space("https://login corp.example")]
    fn what_is_no_https_url_is_no_issuer(#[case] issuer: &str) {
        assert_eq!(Address::read(issuer), Err(IssuerFault::Issuer));
    }

    #[test]
    fn a_path_is_an_issuers_only_below_its_own() {
        let address = Address::read("https://kc.example/realms/corp").unwrap();
        assert_eq!(address.within("/realms/corp/token"), Some("/token"));
        assert_eq!(address.within("/realms/corporate/token"), None);
        assert_eq!(address.within("/token"), None);
    }

    #[test]
    fn the_fields_of_a_given_document_are_read() {
        let fields = json!({ "issuer": "https://login.corp.example", "misbehaves": "bad-keys", "alg": "ES256", "upstream": null });
        let spec = IssuerSpec::read("corp", fields.as_object().unwrap()).unwrap();
        assert_eq!(spec.issuer.as_deref(), Some("https://login.corp.example"));
        assert_eq!((spec.misbehaves, spec.algorithm), (Misbehaviour::BadKeys, Algorithm::Es256));
    }

    #[rstest]
    #[case::a_field_that_is_not_there(json!({ "isuer": "x" }), IssuerFault::Field("isuer".into()))]
    #[case::a_number(json!({ "issuer": 1 }), IssuerFault::NotText("issuer"))]
    #[case::an_unknown_word(json!({ "misbehaves": "lazy" }), IssuerFault::Misbehaviour("lazy".into()))]
    #[case::an_unknown_algorithm(json!({ "alg": "HS256" }), IssuerFault::Algorithm)]
    fn a_wrong_field_of_a_given_document_is_told(#[case] fields: Value, #[case] fault: IssuerFault) {
        assert_eq!(IssuerSpec::read("corp", fields.as_object().unwrap()), Err(fault));
    }

    #[test]
    fn every_misbehaviour_has_a_name_of_its_own() {
        for word in Misbehaviour::ALL {
            assert_eq!(word.name().parse(), Ok(*word));
        }
    }
}
