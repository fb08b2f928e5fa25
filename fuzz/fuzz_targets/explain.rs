//! What the command `explain` is shown: tokens, credential files, signed URLs.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now = "2026-01-15T09:00:00Z".parse().expect("an instant");
    let _ = tokenrig_explain::token(bytes, now);
    let _ = tokenrig_explain::credentials(bytes);
    let _ = tokenrig_explain::url(bytes, now);
});
