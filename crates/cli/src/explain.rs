//! `explain`: what a token, a credential file or a signed URL is.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use tokenrig_clock::{Clock as _, SystemClock};
use tokenrig_explain::{credentials, token, url};

use crate::{
    arguments::{Explain, What},
    tell,
};

/// No credential is larger; of what is, the start tells enough.
const LARGEST: u64 = 2 << 20;

/// Exit codes: 0 if nothing is wrong with it, 1 if something is, 2 if it cannot be read or told.
pub(crate) fn explain(wanted: &Explain) -> u8 {
    if wanted.what == What::Principal || wanted.at.is_some() || !wanted.given.is_empty() {
        tell::error(
            "`explain principal`, `--at` and `--given` are not built yet",
            Some(
                "`explain token|credentials|url FILE` tells what a thing says of itself; a scenario shows it to a door",
            ),
        );
        return 2;
    }
    let bytes = match read(&wanted.file) {
        Ok(bytes) => bytes,
        Err(fault) => {
            tell::error(
                &format!("cannot read `{}`: {fault}", shown(&wanted.file)),
                Some("name a file, or `-` for standard input; a token itself is no argument"),
            );
            return 2;
        }
    };
    let now = wanted.now.unwrap_or_else(|| SystemClock::real().now());
    let told = match wanted.what {
        What::Token | What::Principal => token(&bytes, now),
        What::Credentials => credentials(&bytes),
        What::Url => url(&bytes, now),
    };
    if wanted.json {
        tell::data(&format!("{:#}\n", serde_json::json!(told)));
    } else {
        tell::data(&told.to_string());
    }
    u8::from(!told.good())
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Somebody may have typed the token in place of a file.
fn shown(file: &Path) -> String {
    tokenrig_runner::redact::text(&file.to_string_lossy()).into_owned()
}
