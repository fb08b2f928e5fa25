//! From a good token to a wrong one.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Flaw, draft::Draft, malleable};
use crate::{Algorithm, Map, SigningKey, base64url, jws::MAX_TOKEN_BYTES, key_id, pool, sign::bytes, x509};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Who nobody in a scenario is: the issuer and audience of tokens that are for or from somebody else.
const SOMEBODY_ELSE: &str = "https://somebody-else.example";
/// How deep [`Flaw::Deep`] is nested.
const DEEP: usize = 2000;

/// Signs claims as a token that has one flaw and is else as good as the header, claims and key that are given. What the
/// claims and the header say about the flawed thing is overwritten; only `jku` and `x5u`, if they are set, stay. `now`
/// is where the times of [`Flaw::Expired`] and its like are counted from.
#[must_use]
pub fn flawed(flaw: Flaw, header: &Map, claims: &Map, key: &SigningKey, now: Timestamp) -> String {
    let good = Draft { header: header.clone(), claims: claims.clone(), key };
    let at = |hours: i32| Value::from(now.saturating_add(HOUR * hours).unwrap_or(now).as_second());
    match flaw {
        Flaw::AlgNone => good.member("alg", "none").unsigned(),
        Flaw::AlgNoneSpelled => good.member("alg", "nOnE").unsigned(),
        Flaw::NoAlg => good.without_member("alg").signed(),
        Flaw::UnknownAlg => good.member("alg", "RS257").signed(),
        Flaw::OtherAlg => good.member("alg", other(key.algorithm()).name()).signed(),
        Flaw::HmacWithPublicKey => good.member("alg", "HS256").hmac(x509::public_pem(&key.public()).as_bytes()),
        Flaw::KidPath => good.member("alg", "HS256").member("kid", "../../../../../../../dev/null").hmac(b""),
        Flaw::DuplicateAlg => {
            let mut header = bytes(&good.header);
            header.pop();
            header.extend_from_slice(br#","alg":"none"}"#);
            good.with_header(&header)
        }
        Flaw::EmbeddedJwk => {
            let (kid, foreign) = (key_id("", &key.public(), "embedded"), pool::foreign(key));
            let jwk = Value::Object(foreign.public().to_jwk(&kid).members().clone());
            good.member("kid", kid).member("jwk", jwk).key(foreign).signed()
        }
        Flaw::EmbeddedX5c => {
            let foreign = pool::foreign(key);
            let [from, to] = [now.saturating_sub(HOUR), now.saturating_add(HOUR * 24)].map(|time| time.unwrap_or(now));
            let pem = x509::self_signed_pem(foreign, "somebody-else.example", from, to);
            let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            good.without_member("kid").member("x5c", json!([lines])).key(foreign).signed()
        }
        Flaw::Jku => elsewhere(good, "jku", "/jwks"),
        Flaw::X5u => elsewhere(good, "x5u", "/certificate.pem"),
        Flaw::CriticalExtension => {
            let name = format!("{SOMEBODY_ELSE}/extension");
            good.member("crit", json!([name])).member(&name, true).signed()
        }
        Flaw::WrongKey => good.key(pool::foreign(key)).signed(),
        Flaw::UnknownKid => good.member("kid", key_id("", &key.public(), "unknown")).signed(),
        Flaw::NoKid => good.without_member("kid").signed(),

        Flaw::NoSignature => good.unsigned(),
        Flaw::SignatureRemoved => good.unsigned() + "SIGNATURE_REMOVED_BY_GOOGLE",
        Flaw::ZeroSignature => good.signature(|signature| vec![0; signature.len()]),
        Flaw::EncodedSignature => match key.algorithm() {
            Algorithm::Es256 => good.signature(|signature| malleable::der(&signature)),
            Algorithm::Rs256 => good.signature(|signature| [vec![0], signature].concat()),
        },
        Flaw::MalleableSignature => good.signature(|signature| malleable::other(&signature, &key.public())),
        Flaw::TamperedPayload => {
            let [header, _, signature] = good.parts();
            let claims = good.claim("tampered", true).claims;
            format!("{header}.{}.{signature}", base64url::encode(bytes(&claims)))
        }
        Flaw::TamperedHeader => {
            let [_, payload, signature] = good.parts();
            let header = good.member("tampered", true).header;
            format!("{}.{payload}.{signature}", base64url::encode(bytes(&header)))
        }
        // Both kinds of signature have a length of two beyond a multiple of four letters: what is left is base64url.
        Flaw::Truncated => {
            let mut token = good.signed();
            token.truncate(token.len() - 18);
            token
        }
        Flaw::FiveParts => good.signed() + ".e30.e30",
        Flaw::FourParts => good.signed() + ".e30",
        Flaw::JsonForm => {
            let [header, payload, signature] = good.parts();
            json!({ "payload": payload, "protected": header, "signature": signature }).to_string()
        }
        Flaw::TwoSignatures => {
            let [stranger, _, first] = good.clone().key(pool::foreign(key)).parts();
            let [header, payload, second] = good.parts();
            let signatures = [(stranger, first), (header, second)]
                .map(|(header, signature)| json!({ "protected": header, "signature": signature }));
            json!({ "payload": payload, "signatures": signatures }).to_string()
        }
        Flaw::Padded => {
            let padded = |part: &Map| {
                // White space, which JSON allows, until there is something to pad.
                let mut bytes = bytes(part);
                while bytes.len().is_multiple_of(3) {
                    bytes.push(b' ');
                }
                STANDARD.encode(bytes).replace('+', "-").replace('/', "_")
            };
            let input = format!("{}.{}", padded(&good.header), padded(&good.claims));
            let signature = STANDARD.encode(key.sign(input.as_bytes())).replace('+', "-").replace('/', "_");
            format!("{input}.{signature}")
        }
        Flaw::PlainBase64 => plain(good),
        Flaw::LooseBits => {
            let mut token = good.signed();
            // The last letter of either kind of signature holds bits that are zero: the letter after it decodes alike.
            if let Some(last) = token.pop() {
                token.push(char::from(last as u8 + 1));
            }
            token
        }
        Flaw::Detached => {
            let [header, _, signature] = good.parts();
            format!("{header}..{signature}")
        }
        Flaw::Nested => {
            let inner = good.signed();
            good.member("cty", "JWT").with_payload(inner.as_bytes())
        }
        Flaw::NotUtf8 => {
            let mut payload = bytes(&good.claims);
            payload.pop();
            payload.extend_from_slice(b",\"name\":\"\xc3\x28\"}");
            good.with_payload(&payload)
        }
        Flaw::Deep => {
            let mut payload = bytes(&good.claims);
            payload.pop();
            payload.extend_from_slice(b",\"deep\":");
            payload.extend(std::iter::repeat_n(b'[', DEEP).chain(std::iter::repeat_n(b']', DEEP)));
            payload.push(b'}');
            good.with_payload(&payload)
        }
        Flaw::Oversized => good.claim("padding", "x".repeat(MAX_TOKEN_BYTES)).signed(),

        Flaw::Expired => good.claim("iat", at(-2)).claim("exp", at(-1)).signed(),
        Flaw::NotYetValid => good.claim("iat", at(1)).claim("nbf", at(1)).claim("exp", at(2)).signed(),
        Flaw::NoExp => good.without_claim("exp").signed(),
        Flaw::NullExp => good.claim("exp", Value::Null).signed(),
        Flaw::ZeroExp => good.claim("exp", 0).signed(),
        Flaw::TextExp => good.claim("exp", at(1).to_string()).signed(),
        Flaw::HugeExp => good.claim("exp", 1e300).signed(),
        Flaw::NoIat => good.without_claim("iat").signed(),
        Flaw::FutureIat => good.claim("iat", at(1)).claim("exp", at(2)).signed(),

        Flaw::WrongIssuer => good.claim("iss", SOMEBODY_ELSE).signed(),
        Flaw::LookalikeIssuer => {
            let issuer = format!("{}.somebody-else.example", good.text("iss"));
            good.claim("iss", issuer).signed()
        }
        Flaw::NulIssuer => {
            let issuer = format!("{}\0", good.text("iss"));
            good.claim("iss", issuer).signed()
        }
        Flaw::ListIssuer => {
            let issuers = json!([good.text("iss"), SOMEBODY_ELSE]);
            good.claim("iss", issuers).signed()
        }
        Flaw::NoIssuer => good.without_claim("iss").signed(),

        Flaw::WrongAudience => good.claim("aud", SOMEBODY_ELSE).signed(),
        Flaw::LookalikeAudience => {
            let audience = format!("{}.somebody-else.example", good.text("aud"));
            good.claim("aud", audience).signed()
        }
        Flaw::DuplicateAudience => {
            let audience = good.text("aud");
            let mut payload = bytes(&good.clone().claim("aud", audience).claims);
            payload.pop();
            payload.extend_from_slice(format!(r#","aud":"{SOMEBODY_ELSE}"}}"#).as_bytes());
            good.with_payload(&payload)
        }
        Flaw::AudienceAmongOthers => {
            let audiences = json!([SOMEBODY_ELSE, good.text("aud")]);
            good.claim("aud", audiences).signed()
        }
        Flaw::ObjectAudience => {
            let audience = good.text("aud");
            good.claim("aud", json!({ audience: true })).signed()
        }
        Flaw::NumberAudience => good.claim("aud", 0).signed(),
        Flaw::TrueAudience => good.claim("aud", true).signed(),
        Flaw::NullAudience => good.claim("aud", Value::Null).signed(),
        Flaw::EmptyAudience => good.claim("aud", json!([])).signed(),
        Flaw::NoAudience => good.without_claim("aud").signed(),
        Flaw::NoSubject => good.without_claim("sub").signed(),
        Flaw::NumberSubject => good.claim("sub", 1).signed(),
    }
}

const fn other(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Rs256 => Algorithm::Es256,
        Algorithm::Es256 => Algorithm::Rs256,
    }
}

/// Signed with a stranger's key, which is to be fetched where a member of the header says.
fn elsewhere(good: Draft<'_>, member: &str, path: &str) -> String {
    let foreign = pool::foreign(good.key);
    let kid = key_id("", &foreign.public(), "elsewhere");
    good.member("kid", kid).usual_member(member, format!("{SOMEBODY_ELSE}{path}")).key(foreign).signed()
}

/// A token whose signature has a letter of plain base64: claims are added until it has.
fn plain(mut good: Draft<'_>) -> String {
    for round in 0_u32.. {
        let [header, payload, signature] = good.parts();
        let plain = signature.replace('-', "+").replace('_', "/");
        if plain != signature {
            return format!("{header}.{payload}.{plain}");
        }
        good = good.claim("round", round);
    }
    good.signed()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{JsonFault, Jws, Malformed, SignatureFault, numeric_date, protected_header};

    fn now() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    fn claims() -> Map {
        let claims = json!({ "iss": "https://corp.example", "sub": "alice", "aud": "a", "iat": now().as_second(), "exp": now().as_second() + 3600 });
        claims.as_object().unwrap().clone()
    }

    fn minted(flaw: Flaw, key: &SigningKey) -> String {
        flawed(flaw, &protected_header(key.algorithm(), "k"), &claims(), key, now())
    }

    fn opened(flaw: Flaw, key: &SigningKey) -> Jws {
        Jws::parse(&minted(flaw, key)).unwrap()
    }

    #[rstest]
    #[case(Flaw::NoExp, "exp", None)]
    #[case(Flaw::NullExp, "exp", Some(Value::Null))]
    #[case(Flaw::ZeroExp, "exp", Some(json!(0)))]
    #[case(Flaw::TextExp, "exp", Some(json!((now().as_second() + 3600).to_string())))]
    #[case(Flaw::HugeExp, "exp", Some(json!(1e300)))]
    #[case(Flaw::NoIat, "iat", None)]
    #[case(Flaw::FutureIat, "iat", Some(json!(now().as_second() + 3600)))]
    #[case(Flaw::NoSubject, "sub", None)]
    #[case(Flaw::NumberSubject, "sub", Some(json!(1)))]
    #[case(Flaw::WrongIssuer, "iss", Some(json!(SOMEBODY_ELSE)))]
    #[case(Flaw::LookalikeIssuer, "iss", Some(json!("https://corp.example.somebody-else.example")))]
    #[case(Flaw::NulIssuer, "iss", Some(json!("https://corp.example\0")))]
    #[case(Flaw::ListIssuer, "iss", Some(json!(["https://corp.example", SOMEBODY_ELSE])))]
    #[case(Flaw::NoIssuer, "iss", None)]
    #[case(Flaw::WrongAudience, "aud", Some(json!(SOMEBODY_ELSE)))]
    #[case(Flaw::LookalikeAudience, "aud", Some(json!("a.somebody-else.example")))]
    #[case(Flaw::AudienceAmongOthers, "aud", Some(json!([SOMEBODY_ELSE, "a"])))]
    #[case(Flaw::ObjectAudience, "aud", Some(json!({ "a": true })))]
    #[case(Flaw::NumberAudience, "aud", Some(json!(0)))]
    #[case(Flaw::TrueAudience, "aud", Some(json!(true)))]
    #[case(Flaw::NullAudience, "aud", Some(Value::Null))]
    #[case(Flaw::EmptyAudience, "aud", Some(json!([])))]
    #[case(Flaw::NoAudience, "aud", None)]
    #[case(Flaw::Expired, "exp", Some(json!(now().as_second() - 3600)))]
    #[case(Flaw::NotYetValid, "nbf", Some(json!(now().as_second() + 3600)))]
    fn a_flaw_of_the_claims_is_well_signed(
        #[case] flaw: Flaw,
        #[case] name: &str,
        #[case] value: Option<Value>,
        #[values(pool::rsa(0), pool::ec(0))] key: &SigningKey,
    ) {
        let jws = opened(flaw, key);
        assert_eq!(jws.claims().unwrap().get(name), value.as_ref());
        assert_eq!(jws.verify(&key.public()), Ok(()));
    }

    #[rstest]
    #[case(Flaw::NoKid, None)]
    #[case(Flaw::UnknownKid, Some(key_id("", &pool::ec(0).public(), "unknown")))]
    fn a_flaw_of_the_key_id_is_well_signed(#[case] flaw: Flaw, #[case] kid: Option<String>) {
        let jws = opened(flaw, pool::ec(0));
        assert_eq!(jws.kid(), kid.as_deref());
        assert_eq!(jws.verify(&pool::ec(0).public()), Ok(()));
    }

    #[rstest]
    #[case(Flaw::AlgNone, SignatureFault::Algorithm("none".into()))]
    #[case(Flaw::AlgNoneSpelled, SignatureFault::Algorithm("nOnE".into()))]
    #[case(Flaw::NoAlg, SignatureFault::NoAlgorithm)]
    #[case(Flaw::UnknownAlg, SignatureFault::Algorithm("RS257".into()))]
    #[case(Flaw::OtherAlg, SignatureFault::KeyMismatch { token: Algorithm::Rs256, key: Algorithm::Es256 })]
    #[case(Flaw::HmacWithPublicKey, SignatureFault::Algorithm("HS256".into()))]
    #[case(Flaw::KidPath, SignatureFault::Algorithm("HS256".into()))]
    #[case(Flaw::CriticalExtension, SignatureFault::Critical)]
    #[case(Flaw::WrongKey, SignatureFault::Mismatch)]
    #[case(Flaw::EmbeddedJwk, SignatureFault::Mismatch)]
    #[case(Flaw::EmbeddedX5c, SignatureFault::Mismatch)]
    #[case(Flaw::Jku, SignatureFault::Mismatch)]
    #[case(Flaw::X5u, SignatureFault::Mismatch)]
    #[case(Flaw::NoSignature, SignatureFault::Unsigned)]
    #[case(Flaw::SignatureRemoved, SignatureFault::Length { expected: 64, found: 20 })]
    #[case(Flaw::ZeroSignature, SignatureFault::Mismatch)]
    #[case(Flaw::TamperedPayload, SignatureFault::Mismatch)]
    #[case(Flaw::TamperedHeader, SignatureFault::Mismatch)]
    #[case(Flaw::Detached, SignatureFault::Mismatch)]
    #[case(Flaw::Truncated, SignatureFault::Length { expected: 64, found: 51 })]
    fn a_flaw_of_the_signature_is_found(#[case] flaw: Flaw, #[case] fault: SignatureFault) {
        assert_eq!(opened(flaw, pool::ec(0)).verify(&pool::ec(0).public()), Err(fault));
    }

    #[rstest]
    fn a_signature_in_another_encoding_has_another_length(#[values(pool::rsa(0), pool::ec(0))] key: &SigningKey) {
        let fault = opened(Flaw::EncodedSignature, key).verify(&key.public()).unwrap_err();
        assert!(matches!(fault, SignatureFault::Length { .. }), "{fault}");
    }

    #[rstest]
    #[case(Flaw::PlainBase64, Malformed::Base64(crate::Part::Signature))]
    #[case(Flaw::LooseBits, Malformed::Base64(crate::Part::Signature))]
    #[case(Flaw::Padded, Malformed::Base64(crate::Part::Header))]
    #[case(Flaw::FiveParts, Malformed::Encrypted)]
    #[case(Flaw::FourParts, Malformed::Parts(4))]
    #[case(Flaw::JsonForm, Malformed::Json)]
    #[case(Flaw::TwoSignatures, Malformed::Json)]
    #[case(Flaw::DuplicateAlg, Malformed::Header(JsonFault::Duplicate("alg".into())))]
    fn a_flaw_of_the_form_does_not_open(
        #[case] flaw: Flaw,
        #[case] fault: Malformed,
        #[values(pool::rsa(0), pool::ec(0))] key: &SigningKey,
    ) {
        assert_eq!(Jws::parse(&minted(flaw, key)), Err(fault));
    }

    #[rstest]
    #[case(Flaw::DuplicateAudience, Some(JsonFault::Duplicate("aud".into())))]
    #[case(Flaw::Deep, Some(JsonFault::TooDeep { limit: 32 }))]
    #[case(Flaw::Nested, None)]
    #[case(Flaw::NotUtf8, None)]
    fn claims_that_cannot_be_read_are_well_signed(#[case] flaw: Flaw, #[case] fault: Option<JsonFault>) {
        let jws = opened(flaw, pool::ec(0));
        assert_eq!(jws.verify(&pool::ec(0).public()), Ok(()));
        let found = jws.claims().unwrap_err();
        match fault {
            Some(fault) => assert_eq!(*found, fault),
            None => assert!(matches!(found, JsonFault::Syntax(_)), "{found}"),
        }
    }

    #[test]
    fn what_the_header_brings_is_the_strangers_key_and_verifies_with_it() {
        let key = pool::rsa(0);
        let jws = opened(Flaw::EmbeddedJwk, key);
        let brought = crate::PublicKey::from_jwk(jws.header()["jwk"].as_object().unwrap()).unwrap();
        assert_eq!(jws.verify(&brought), Ok(()));
        assert_eq!(jws.kid(), jws.header()["jwk"]["kid"].as_str());

        let jws = opened(Flaw::EmbeddedX5c, key);
        let lines = jws.header()["x5c"][0].as_str().unwrap().to_owned();
        let pem = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
        assert_eq!(jws.verify(&x509::public_key_from_pem(&pem).unwrap()), Ok(()));
    }

    #[test]
    fn who_asks_may_say_where_the_strangers_keys_are() {
        let mut header = protected_header(Algorithm::Rs256, "k");
        header.insert("jku".to_owned(), "http://127.0.0.1:1/jwks".into());
        let token = flawed(Flaw::Jku, &header, &claims(), pool::rsa(0), now());
        assert_eq!(Jws::parse(&token).unwrap().header()["jku"], "http://127.0.0.1:1/jwks");
    }

    #[test]
    fn the_hmac_is_what_a_verifier_computes_that_takes_the_public_key_for_a_secret() {
        let key = pool::rsa(0);
        let token = minted(Flaw::HmacWithPublicKey, key);
        let (input, signature) = token.rsplit_once('.').unwrap();
        let pem = x509::public_pem(&key.public());
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, pem.as_bytes());
        let tag = base64url::decode(signature).unwrap();
        assert!(aws_lc_rs::hmac::verify(&secret, input.as_bytes(), &tag).is_ok());
    }

    #[test]
    fn a_lenient_decoder_reads_the_good_signature_from_loose_bits() {
        use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

        let config = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
        let lenient = GeneralPurpose::new(&base64::alphabet::URL_SAFE, config);
        for key in [pool::rsa(0), pool::ec(0)] {
            let token = minted(Flaw::LooseBits, key);
            let (input, signature) = token.rsplit_once('.').unwrap();
            let signature = lenient.decode(signature).unwrap();
            assert!(key.public().verify(key.algorithm(), input.as_bytes(), &signature));
        }
    }

    #[rstest]
    #[case(pool::rsa(pool::RSA_KEYS - 1))]
    #[case(pool::ec(pool::EC_KEYS - 1))]
    fn the_wrong_key_is_another_one_whichever_is_right(#[case] key: &SigningKey) {
        assert_eq!(opened(Flaw::WrongKey, key).verify(&key.public()), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn an_oversized_token_is_larger_than_readers_take() {
        assert!(matches!(Jws::parse(&minted(Flaw::Oversized, pool::ec(0))), Err(Malformed::TooLarge { .. })));
    }

    #[rstest]
    fn no_flaw_leaves_the_good_token_as_it_is(#[values(pool::rsa(0), pool::ec(0))] key: &SigningKey) {
        let good = Draft { header: protected_header(key.algorithm(), "k"), claims: claims(), key };
        let again = |flaw: &Flaw| {
            // ECDSA signs differently each time: header and payload are compared, and the signature by verifying.
            let [header, payload, _] = good.parts();
            let unchanged = minted(*flaw, key).starts_with(&format!("{header}.{payload}."));
            unchanged && Jws::parse(&minted(*flaw, key)).is_ok_and(|jws| jws.verify(&key.public()).is_ok())
        };
        let left: Vec<_> = Flaw::ALL.iter().filter(|flaw| again(flaw)).collect();
        // (r, -s) is a signature as good as (r, s), in ECDSA alone.
        let allowed: &[&Flaw] = if key.algorithm() == Algorithm::Es256 { &[&Flaw::MalleableSignature] } else { &[] };
        assert_eq!(left, allowed);
    }

    #[test]
    fn every_flaw_has_a_name_and_a_sentence_of_its_own() {
        for flaw in Flaw::ALL {
            assert_eq!(flaw.name().parse(), Ok(*flaw));
            assert!(flaw.about().ends_with('.') && !flaw.about().contains("  "), "{}", flaw.about());
        }
        assert_eq!("Expired".parse::<Flaw>(), Err(super::super::UnknownFlaw));
    }

    #[test]
    fn the_time_of_a_number_beyond_the_calendar_is_no_time() {
        assert!(numeric_date(opened(Flaw::HugeExp, pool::ec(0)).claims().unwrap(), "exp").is_err());
    }
}
