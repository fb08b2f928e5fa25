//! What the commands say of themselves.

use std::{fs, path::Path};

use rstest::rstest;
use tokio::io::AsyncWriteExt as _;

use crate::support::Home;

#[rstest]
#[case(&["schema"], "scenario.schema.json")]
#[case(&["schema", "scenario"], "scenario.schema.json")]
#[case(&["schema", "given"], "given.schema.json")]
#[tokio::test]
async fn a_schema_is_the_one_that_is_checked_in(#[case] call: &[&str], #[case] file: &str) {
    let told = Home::new().call(call).await;
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(file)).unwrap();
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    assert!(told.stdout == kept, "{file} is another one");
}

#[rstest]
#[case("bash", "complete -F")]
#[case("zsh", "#compdef tokenrig")]
#[case("fish", "complete -c tokenrig")]
#[case("elvish", "edit:completion")]
#[case("powershell", "Register-ArgumentCompleter")]
#[tokio::test]
async fn a_shell_gets_what_completes_the_commands(#[case] shell: &str, #[case] mark: &str) {
    let told = Home::new().call(&["completions", shell]).await;
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    for part in [mark, "schema", "filter"] {
        assert!(told.stdout.contains(part), "{part}");
    }
}

/// A shell must be able to read it.
#[tokio::test]
async fn bash_reads_its_completions() {
    let told = Home::new().call(&["completions", "bash"]).await;
    let mut bash = tokio::process::Command::new("bash").arg("-n").stdin(std::process::Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(told.stdout.as_bytes()).await.unwrap();
    assert!(bash.wait().await.unwrap().success());
}
