//! The examples of RFC 7515, appendix A.

use tokenrig_jose::{Jws, Map, PublicKey, SignatureFault};

fn key(jwk: &str) -> PublicKey {
    let members: Map = serde_json::from_str(jwk).unwrap();
    PublicKey::from_jwk(&members).unwrap()
}

/// The payload of all three examples.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[test]
fn the_rs256_example_of_the_standard_verifies() {
    let key = key(
        r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
    );
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let jws = Jws::parse(&format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{signature}")).unwrap();
    assert_eq!(jws.verify(&key), Ok(()));
    assert_eq!(jws.claims().unwrap()["iss"], "joe");
}

#[test]
fn the_es256_example_of_the_standard_verifies() {
    let key = key(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let jws = Jws::parse(&format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{signature}")).unwrap();
    assert_eq!(jws.verify(&key), Ok(()));
}

#[test]
fn the_unsecured_example_of_the_standard_is_refused() {
    let key = tokenrig_jose::pool::rsa(0).public();
    let jws = Jws::parse(&format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.")).unwrap();
    assert_eq!(jws.verify(&key), Err(SignatureFault::Algorithm("none".to_owned())));
}
