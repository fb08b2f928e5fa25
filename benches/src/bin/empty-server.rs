//! The baseline of a start: a process that listens, says where, and answers 200 to everything, over TLS.
//!
//! It prints its port, then its certificate in hex, a line each.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::process::ExitCode;

use bytes::Bytes;
use tokenrig_benches::Empty;

fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else {
        return ExitCode::from(3);
    };
    let served: Result<(), String> = runtime.block_on(async {
        let empty = Empty::listen(vec!["iamcredentials.googleapis.com".to_owned()]).await?;
        println!("{}", empty.addr()?.port());
        println!("{}", empty.certificate().iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        match empty.serve(Bytes::from_static(b"{}")).await {}
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(3)
        }
    }
}
