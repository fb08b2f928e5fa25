//! Base64url without padding (RFC 4648, section 5), in its one canonical form.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn encode_onto(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Nothing if the text has padding, white space, letters of plain base64, or set bits after its last byte: two texts
/// never stand for the same bytes.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::padding("YQ==")]
    #[case::white_space("YW Jj")]
    #[case::a_line_end("YWJj\n")]
    #[case::plain_alphabet("+/+/")]
    #[case::bits_after_the_last_byte("YR")]
    #[case::one_letter_left("YWJjY")]
    fn what_is_not_canonical_is_refused(#[case] text: &str) {
        assert_eq!(decode(text), None);
    }

    #[test]
    fn what_is_canonical_is_read() {
        assert_eq!(decode("YQ").unwrap(), b"a");
        assert_eq!(decode("-_-_").unwrap(), [0xfb, 0xff, 0xbf]);
        assert_eq!(decode("").unwrap(), b"");
    }
}
