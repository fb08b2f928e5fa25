//! `explain`: what a token, a credential file or a signed URL is.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use tokenrig_clock::{Clock as _, SystemClock};
use tokenrig_explain::{bare, credentials, token, url};
use tokenrig_report::flat;

use crate::{
    arguments::{Explain, What},
    door, principal, tell,
};

/// No credential is larger; of what is, the start tells enough.
const LARGEST: u64 = 2 << 20;

/// Exit codes: 0 if nothing is wrong with it, 1 if something is, 2 if it cannot be read or told.
pub(crate) async fn explain(program: &str, wanted: &Explain) -> u8 {
    let at_a_place = matches!(wanted.what, What::Token | What::Principal);
    if (wanted.at.is_some() || !wanted.given.is_empty()) && !at_a_place {
        tell::error(
            "`--at` and `--given` belong to `explain token` and `explain principal`",
            Some("`explain token FILE --at PLACE --given FILE`"),
        );
        return 2;
    }
    if wanted.what == What::Token && wanted.at.is_none() && !wanted.given.is_empty() {
        tell::error(
            "`--given` says what `--at` looks at, and there is no `--at`",
            Some("add `--at PLACE`: a service or a provider of the given document"),
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
    if wanted.at.is_some() || wanted.what == What::Principal {
        let (bare, faults) = bare(&bytes);
        faults.iter().for_each(|fault| tell::note(&flat(&fault.what)));
        let title = token(&bytes, now).title;
        return match &wanted.at {
            Some(at) if wanted.what == What::Token => door::shown(program, wanted, at, &bare, &title).await,
            _ => principal::shown(program, wanted, &bare, &title).await,
        };
    }
    let told = match wanted.what {
        What::Token | What::Principal => token(&bytes, now),
        What::Credentials => credentials(&bytes),
        What::Url => url(&bytes, now),
    };
    let text = if wanted.json { format!("{:#}\n", serde_json::json!(told)) } else { told.to_string() };
    tell::data(&text, u8::from(!told.good()))
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
