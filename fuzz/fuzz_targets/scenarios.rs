//! Scenario files and given documents, what gcloud prints among them: told apart, or told what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokenrig_scenario::{Loader, parse_given, parse_scenario};

/// A folder with nothing in it.
struct Nothing;

impl Loader for Nothing {
    fn load(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("there is no such file".to_owned())
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(scenario) = parse_scenario("fuzz.yaml", bytes, &Nothing) {
        for case in 0..scenario.cases.len().min(8) {
            let _ = scenario.play(case);
        }
    }
    let _ = parse_given("fuzz.given.yaml", bytes, &Nothing);
});
