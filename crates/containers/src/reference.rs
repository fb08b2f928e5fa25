//! References of images.

use std::fmt;

use serde_json::Value;

/// Longer than any that a registry takes.
const LONGEST: usize = 512;

/// A reference of an image, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    /// Reads `image: REF`. Whether it is one to the last detail the engine tells.
    pub(crate) fn told(told: &Value) -> Result<Self, String> {
        let text = told.as_str().ok_or("it is the reference of an image, as text")?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        // `..` would leave the engine's path for images.
        if !begins || text.len() > LONGEST || !text.bytes().all(known) || text.contains("..") {
            return Err("it is no reference of an image, such as `orders:latest`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Repository and tag for a pull; `latest` where nothing else is said.
    pub(crate) fn parts(&self) -> (&str, &str) {
        // Of a digest the engine wants `NAME@sha256:HEX` back, which is what two parts with a colon between them give.
        let after_folders = self.0.rfind('/').map_or(0, |slash| slash + 1);
        match self.0.rfind(':').filter(|colon| *colon > after_folders) {
            Some(colon) => (self.0.get(..colon).unwrap_or_default(), self.0.get(colon + 1..).unwrap_or_default()),
            None => (&self.0, "latest"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("orders", "orders", "latest")]
    #[case("orders:v2", "orders", "v2")]
    #[case("localhost:5000/shop/orders", "localhost:5000/shop/orders", "latest")]
    #[case("localhost:5000/shop/orders:v2", "localhost:5000/shop/orders", "v2")]
    #[case("orders@sha256:0123", "orders@sha256", "0123")]
    #[case("sha256:0123", "sha256", "0123")]
    fn a_reference_has_two_parts(#[case] told: &str, #[case] name: &str, #[case] tag: &str) {
        assert_eq!(Reference::told(&json!(told)).unwrap().parts(), (name, tag));
    }

    #[rstest]
    #[case(json!(7))]
    #[case(json!(["orders"]))]
    #[case(json!(""))]
    #[case(json!("-orders"))]
    #[case(json!("orders latest"))]
    #[case(json!("orders?x=y"))]
    #[case(json!("orders/../../containers"))]
    #[case(json!("o".repeat(513)))]
    fn what_is_no_reference_is_refused(#[case] told: Value) {
        assert!(Reference::told(&told).unwrap_err().contains("reference of an image"));
    }
}
