//! The flaws that a scenario's `mint` can ask for by name, and what the standards say of each.

use std::{fmt, str::FromStr};

/// What a verifier owes to a token with a flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// To refuse it: who takes it can be deceived, or breaks a MUST of the rule.
    Refuse,
    /// To refuse it, if it is careful: no deceit is known that this alone allows.
    Beware,
    /// Nothing but to survive it: taking and refusing are both right.
    Survive,
}

/// Where it is written what a verifier owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What is owed.
    pub duty: Duty,
    /// Standard or guide, with its section.
    pub source: &'static str,
}

macro_rules! flaws {
    ($($(#[doc = $doc:literal])+ $flaw:ident = $name:literal, $duty:ident $source:literal;)+) => {
        /// What is wrong with a token that is wrong on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flaw {
            $($(#[doc = $doc])+ $flaw,)+
        }

        impl Flaw {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$flaw,)+];

            /// Its name in scenarios.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$flaw => $name,)+
                }
            }

            /// What is wrong, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$flaw => concat!($($doc,)+).trim_ascii(),)+
                }
            }

            /// What a verifier of ID tokens owes to it.
            #[must_use]
            pub const fn rule(self) -> Rule {
                match self {
                    $(Self::$flaw => Rule { duty: Duty::$duty, source: $source },)+
                }
            }
        }
    };
}

flaws! {
    /// `alg: none` and an empty signature.
    AlgNone = "alg-none", Refuse "RFC 8725, 3.2";
    /// `alg: nOnE` and an empty signature: some check for one spelling only.
    AlgNoneSpelled = "alg-none-spelled", Refuse "RFC 8725, 3.2";
    /// No `alg`.
    NoAlg = "no-alg", Refuse "RFC 7515, 4.1.1";
    /// An `alg` that nobody knows, over a good signature.
    UnknownAlg = "unknown-alg", Refuse "RFC 8725, 3.1";
    /// `alg` names the other of RS256 and ES256 than the key is for.
    OtherAlg = "other-alg", Refuse "RFC 8725, 3.1";
    /// HS256, keyed with the issuer's public key as PEM: falls for it who lets the token choose the algorithm.
    HmacWithPublicKey = "hmac-with-public-key", Refuse "RFC 8725, 2.1 and 3.1";
    /// HS256 with an empty key, and a key id that is a path to an empty file.
    KidPath = "kid-path", Refuse "RFC 8725, 3.10";
    /// The header says `alg` twice, the second time `none`.
    DuplicateAlg = "duplicate-alg", Refuse "RFC 7515, 4";
    /// Signed with a key that the header itself brings (`jwk`).
    EmbeddedJwk = "embedded-jwk", Refuse "RFC 8725, 3.8";
    /// Signed with a key whose certificate the header itself brings (`x5c`).
    EmbeddedX5c = "embedded-x5c", Refuse "RFC 8725, 3.8";
    /// Signed with a key that is published where the header says (`jku`).
    Jku = "jku", Refuse "RFC 8725, 3.10";
    /// Signed with a key whose certificate is published where the header says (`x5u`).
    X5u = "x5u", Refuse "RFC 8725, 3.10";
    /// The header asks for an extension that nobody knows (`crit`).
    CriticalExtension = "critical-extension", Refuse "RFC 7515, 4.1.11";
    /// Signed with a key that nobody publishes, under the key id of one that is published.
    WrongKey = "wrong-key", Refuse "OpenID Connect Core, 3.1.3.7";
    /// A key id that nobody publishes.
    UnknownKid = "unknown-kid", Beware "OpenID Connect Core, 10.1";
    /// No key id.
    NoKid = "no-kid", Survive "OpenID Connect Core, 10.1";
    /// The signature is empty, all else is good.
    NoSignature = "no-signature", Refuse "RFC 8725, 3.2";
    /// The signature says that Cloud Run took it away, as it does before the token reaches a container.
    SignatureRemoved = "signature-removed", Refuse "Google, service-to-service authentication";
    /// The signature is all zeros.
    ZeroSignature = "zero-signature", Refuse "FIPS 186-5, 6.4.2";
    /// The signature is in another encoding: in DER (ES256), or with a zero byte before it (RS256).
    EncodedSignature = "encoded-signature", Refuse "RFC 7518, 3.3 and 3.4";
    /// Another signature over the same bytes, made from the good one without the key: with s negated (ES256), or with the
    /// modulus added (RS256).
    MalleableSignature = "malleable-signature", Survive "RFC 8017, 5.2.2";
    /// The signature is over other claims.
    TamperedPayload = "tampered-payload", Refuse "OpenID Connect Core, 3.1.3.7";
    /// The signature is over other members of the header.
    TamperedHeader = "tampered-header", Refuse "RFC 7515, 5.2";
    /// Cut off within the signature.
    Truncated = "truncated", Refuse "RFC 7515, 5.2";
    /// Five parts, as encrypted tokens have them.
    FiveParts = "five-parts", Refuse "RFC 7515, 5.2";
    /// Four parts.
    FourParts = "four-parts", Refuse "RFC 7515, 5.2";
    /// The JSON form of a signed token in place of the compact one.
    JsonForm = "json-form", Refuse "RFC 7519, 1";
    /// The JSON form with two signatures, the first of a stranger.
    TwoSignatures = "two-signatures", Refuse "RFC 7519, 1";
    /// The parts are padded with `=`, and signed so.
    Padded = "padded", Beware "RFC 7515, 2";
    /// The signature is written with the letters of plain base64.
    PlainBase64 = "plain-base64", Beware "RFC 7515, 2";
    /// The signature's last letter has bits that mean nothing: another text for the same bytes.
    LooseBits = "loose-bits", Survive "RFC 4648, 3.5";
    /// The payload is left out, as if it came by another way.
    Detached = "detached", Refuse "RFC 7519, 7.2";
    /// The payload is another token, itself good.
    Nested = "nested", Refuse "RFC 7519, 7.2";
    /// The claims are not UTF-8.
    NotUtf8 = "not-utf8", Refuse "RFC 7519, 7.2";
    /// A claim is nested two thousand lists deep.
    Deep = "deep", Survive "RFC 8259, 9";
    /// Larger than any reader of the rig takes: 64 KiB of claims.
    Oversized = "oversized", Survive "RFC 8725, 3.10";
    /// Issued two hours ago, expired an hour ago.
    Expired = "expired", Refuse "RFC 7519, 4.1.4";
    /// Issued, and valid, from an hour from now.
    NotYetValid = "not-yet-valid", Refuse "RFC 7519, 4.1.5";
    /// No `exp`.
    NoExp = "no-exp", Refuse "OpenID Connect Core, 2";
    /// `exp` is null.
    NullExp = "null-exp", Refuse "OpenID Connect Core, 2";
    /// `exp` is zero: some read it as absent, and absent as for ever.
    ZeroExp = "zero-exp", Refuse "RFC 7519, 4.1.4";
    /// `exp` is a text.
    TextExp = "text-exp", Beware "RFC 7519, 2 and 4.1.4";
    /// `exp` is beyond every calendar.
    HugeExp = "huge-exp", Survive "RFC 7519, 2";
    /// No `iat`.
    NoIat = "no-iat", Beware "OpenID Connect Core, 2";
    /// `iat` is an hour from now, and nothing says from when the token is valid.
    FutureIat = "future-iat", Beware "OpenID Connect Core, 3.1.3.7";
    /// Somebody else's `iss`.
    WrongIssuer = "wrong-issuer", Refuse "RFC 8725, 3.8";
    /// An `iss` that begins as the good one does.
    LookalikeIssuer = "lookalike-issuer", Refuse "OpenID Connect Core, 3.1.3.7";
    /// An `iss` that is the good one and a NUL.
    NulIssuer = "nul-issuer", Refuse "OpenID Connect Core, 3.1.3.7";
    /// `iss` is a list that holds the good one.
    ListIssuer = "list-issuer", Refuse "RFC 7519, 4.1.1";
    /// No `iss`.
    NoIssuer = "no-issuer", Refuse "OpenID Connect Core, 2";
    /// Somebody else's `aud`.
    WrongAudience = "wrong-audience", Refuse "RFC 8725, 3.9";
    /// An `aud` that begins as the good one does.
    LookalikeAudience = "lookalike-audience", Refuse "RFC 8725, 3.9";
    /// `aud` stands twice, the good one first.
    DuplicateAudience = "duplicate-audience", Refuse "RFC 7519, 4";
    /// `aud` lists the good one and somebody else.
    AudienceAmongOthers = "audience-among-others", Survive "OpenID Connect Core, 3.1.3.7";
    /// `aud` is an object that has the good one as a member.
    ObjectAudience = "object-audience", Refuse "RFC 7519, 4.1.3";
    /// `aud` is a number.
    NumberAudience = "number-audience", Refuse "RFC 7519, 4.1.3";
    /// `aud` is true.
    TrueAudience = "true-audience", Refuse "RFC 7519, 4.1.3";
    /// `aud` is null.
    NullAudience = "null-audience", Refuse "RFC 7519, 4.1.3";
    /// `aud` is an empty list.
    EmptyAudience = "empty-audience", Refuse "RFC 7519, 4.1.3";
    /// No `aud`.
    NoAudience = "no-audience", Refuse "RFC 8725, 3.9";
    /// No `sub`.
    NoSubject = "no-subject", Beware "OpenID Connect Core, 2";
    /// `sub` is a number.
    NumberSubject = "number-subject", Beware "OpenID Connect Core, 2";
}

/// No flaw has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no flaw has this name")]
pub struct UnknownFlaw;

impl FromStr for Flaw {
    type Err = UnknownFlaw;

    fn from_str(name: &str) -> Result<Self, UnknownFlaw> {
        Self::ALL.iter().copied().find(|flaw| flaw.name() == name).ok_or(UnknownFlaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
