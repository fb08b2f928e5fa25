//! What a case says when it does not go as it should.

use std::{error::Error, fmt::Debug, pin::Pin};

/// How a case ends: well, or with what went wrong.
pub type Outcome<T = ()> = Result<T, String>;

/// One thing that a client does. `client` is the crate that is tried and its version, `path` the way that it takes.
pub struct Case {
    pub client: (&'static str, &'static str),
    pub path: String,
    pub name: String,
    /// Nothing is done before it is awaited.
    pub trial: Pin<Box<dyn Future<Output = Outcome>>>,
}

pub fn need(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

pub fn equal<T: PartialEq + Debug>(found: T, wanted: T, what: &str) -> Outcome {
    need(found == wanted, || format!("{what} is {found:?}, not {wanted:?}"))
}

/// The client must have given up, with words that one of its errors or their causes holds.
pub fn raised<T, E: Error>(result: Result<T, E>, words: &[&str]) -> Outcome {
    let Err(error) = result else { return Err("no error came".to_owned()) };
    let said = told(&error);
    words
        .iter()
        .try_for_each(|part| need(said.contains(part), || format!("`{part}` is not in what the client says: {said}")))
}

/// What an error and its causes say.
pub fn told(error: &dyn Error) -> String {
    let mut all = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push_str(&format!("\n{error}"));
        cause = error.source();
    }
    all
}

/// Where there must be no error.
pub trait Well<T> {
    fn well(self) -> Outcome<T>;
}

impl<T, E: Error> Well<T> for Result<T, E> {
    fn well(self) -> Outcome<T> {
        self.map_err(|error| format!("the client gave up: {}", told(&error)))
    }
}
