//! What people type.

use std::{ffi::OsString, net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_report::Format;
use tokenrig_runner::{Filter, Shard};

/// A test rig for Google Cloud identity tokens: it plays Google's surfaces on loopback, for unmodified clients.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs scenarios and tells what failed, where and why
    Run(Run),
    /// Starts a rig and runs a command in it; ends with the command's exit code
    Exec(Exec),
    /// Starts a rig that stays up until it is ended
    Serve(Serve),
    /// The inner side of `exec --route netns`: sets up the namespaces that it was started in
    #[command(hide = true)]
    NetnsInside(NetnsInside),
    /// Tells what a token, a credential file or a signed URL is, and what is wrong with it
    Explain(Explain),
    /// Fires wrong and hostile ID tokens at an endpoint of yours, and tells which of them it let in
    Attack(Attack),
    /// Removes what a live run left behind (not built yet)
    #[command(hide = true)]
    Cleanup(Rest),
    /// Prints the JSON Schema of scenario or given files, for editors
    Schema(Schema),
    /// Prints a script that completes commands and options in a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of which file
    #[arg(value_enum, default_value = "scenario")]
    pub(crate) of: SchemaKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// `scenarios/THEME/NAME.yaml`
    Scenario,
    /// `NAME.given.yaml`
    Given,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// What the file holds
    #[arg(value_enum)]
    pub(crate) what: What,
    /// The file, or `-` for standard input: secrets are no arguments, which a shell remembers
    pub(crate) file: PathBuf,
    /// The place that the token is shown to: a service of the given document (its URL or id), a provider (its name or id), or
    /// the URL of one of Google's APIs
    #[arg(long, value_name = "PLACE")]
    pub(crate) at: Option<String>,
    /// A given document: what `--at` is looked for in
    #[arg(long, value_name = "FILE")]
    pub(crate) given: Vec<PathBuf>,
    /// The present instant; that of the machine if not said
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) now: Option<Timestamp>,
    /// Tells it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// A token or another credential of one line
    Token,
    /// A token, and whom it names at a provider: what mapping and condition make of it, and which bindings name that
    Principal,
    /// A credential file, such as GOOGLE_APPLICATION_CREDENTIALS names
    Credentials,
    /// A signed URL
    Url,
}

#[derive(Debug, Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Scenario files, or folders of them; all of `scenarios/` if none is named
    pub(crate) paths: Vec<PathBuf>,
    /// Where to run
    #[arg(long, value_enum, default_value = "offline")]
    pub(crate) world: World,
    /// The clock's first instant, for scenarios that say none
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) now: Option<Timestamp>,
    /// How long a step may wait where the clock is the real one; cases that must wait longer are skipped and counted. 30s if not
    /// said. The clock of a rig is moved, so that offline nothing waits
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) max_wait: Option<Duration>,
    /// Only cases with this text in their name; also `tag:X`, `theme:X`, `case:X`. All given ones must match
    #[arg(long = "filter", value_name = "TEXT", value_parser = filter)]
    pub(crate) filters: Vec<Filter>,
    /// How many cases run at once; as many as there are cores if not said
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Only the I-th of N equal parts
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Needs without which the run is an error, for example `python`
    #[arg(long, value_name = "NEED", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Writes a report beside what is printed: `junit=FILE`, `json=FILE`, `html=FILE`
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub(crate) reports: Vec<Report>,
    /// Prints a line for each case that passes, too; with `--list`, where each case stands
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Prints the names of the cases that would run, and runs none
    #[arg(long)]
    pub(crate) list: bool,
    /// Starts no case any more once one has failed
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Runs each case N times, each time in a rig of its own
    #[arg(long, value_name = "N")]
    pub(crate) repeat: Option<NonZeroUsize>,
    /// Only cases that failed when they last ran from this folder
    #[arg(long)]
    pub(crate) rerun_failed: bool,
    /// Keeps what failed cases leave (state, decisions, outputs) in a folder, and says where
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true)]
    pub(crate) keep: Option<Option<PathBuf>>,
    /// How long a case may take, in real time; 10m if not said
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) case_deadline: Option<Duration>,
    /// How long the run may take, in real time
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) run_deadline: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    /// A rig of its own for each case
    Offline,
    /// A real Google Cloud project
    Live,
}

/// A report to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) format: Format,
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Standing {
    /// A given document: what the rig holds at start
    #[arg(long, value_name = "FILE")]
    pub(crate) given: Vec<PathBuf>,
    /// What the clock shows at start; it runs on from there
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) now: Option<Timestamp>,
    /// Writes the rig's log to a file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) standing: Standing,
    /// How clients reach the rig
    #[arg(long, value_enum, default_value = "proxy")]
    pub(crate) route: Route,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Route {
    /// By proxy variables, which nearly all clients obey
    Proxy,
    /// By a network namespace of its own, for clients that obey no proxy: real host names at port 443
    Netns,
}

/// How `exec` calls itself; nothing for people.
#[derive(Debug, Args)]
pub(crate) struct NetnsInside {
    /// The rig's folder, with the sockets that lead outside
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// The port of the control address
    #[arg(long)]
    pub(crate) control: u16,
    /// The caller's user id
    #[arg(long)]
    pub(crate) user: u32,
    /// The caller's group id
    #[arg(long)]
    pub(crate) group: u32,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) standing: Standing,
    /// Where the gateway listens; a free port of 127.0.0.1 if not said
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Writes the environment to a file, once the rig answers
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Keeps what the rig holds in a file, as a given document
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Attack {
    #[command(flatten)]
    pub(crate) standing: Standing,
    /// The endpoint: it must let in a token that is good, and nothing else
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// What a good token's `aud` is; scheme, host and port of the URL if not said
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// Whose tokens it takes: `google`, or the id of an issuer of the given document
    #[arg(long, value_name = "ISSUER", default_value = "google")]
    pub(crate) issuer: String,
    /// The service account that it lets in, if it takes Google's tokens; the rig's owner if not said
    #[arg(long, value_name = "EMAIL")]
    pub(crate) account: Option<String>,
    /// Further claims of a good token of an issuer, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = claims)]
    pub(crate) claims: Option<serde_json::Map<String, serde_json::Value>>,
    /// The header that bears the token
    #[arg(long, value_name = "NAME", default_value = "authorization")]
    pub(crate) header: String,
    /// The method that is asked with
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// Whose certificates to trust if the endpoint is at an https URL that the rig does not play (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Prints JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints a line for each token, not only for those that need attention
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// A command that is the endpoint: it is started where the rig's hosts are reached, and ended afterwards
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

fn claims(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    serde_json::from_str(text).map_err(|fault| format!("write a JSON object like {{\"sub\":\"alice\"}}: {fault}"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    tokenrig_scenario::instant(text).ok_or_else(|| "write an instant like 2026-03-02T09:00:00Z".to_owned())
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    tokenrig_scenario::duration(text).ok_or_else(|| "write a duration like 90s, 9m59s or 1d".to_owned())
}

/// A length of real time, at least a millisecond: none at all would end everything at once.
fn limit(text: &str) -> Result<Duration, String> {
    let limit = Duration::try_from(duration(text)?).map_err(|_| "a deadline is not before its start".to_owned())?;
    if limit.is_zero() { Err("within no time nothing ends; write for example 90s".to_owned()) } else { Ok(limit) }
}

fn filter(text: &str) -> Result<Filter, std::convert::Infallible> {
    text.parse()
}

fn report(text: &str) -> Result<Report, String> {
    match text.split_once('=') {
        Some((_, "")) | None => Err("write FORMAT=FILE, for example html=report.html".to_owned()),
        Some((format, file)) => Ok(Report { format: format.parse()?, file: file.into() }),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::run_all(&["run"], true)]
    #[case::run_a_part(&["run", "a.yaml", "--filter", "tag:x", "--jobs", "2", "--shard", "1/2", "--require", "python,node"], true)]
    #[case::run_often(&["run", "--repeat", "3", "--fail-fast", "--keep", "a.yaml", "--case-deadline", "90s"], true)]
    #[case::kept_elsewhere(&["run", "--keep=folder", "--run-deadline", "1h", "--rerun-failed", "--list"], true)]
    #[case::never(&["run", "--repeat", "0"], false)]
    #[case::no_time(&["run", "--case-deadline", "0s"], false)]
    #[case::no_such_shard(&["run", "--shard", "3/2"], false)]
    #[case::no_jobs(&["run", "--jobs", "0"], false)]
    #[case::no_instant(&["run", "--now", "soon"], false)]
    #[case::reports(&["run", "--report", "html=a=b.html", "--report", "json=x", "--report", "junit=y"], true)]
    #[case::no_report(&["run", "--report", "pdf=x"], false)]
    #[case::a_command(&["exec", "--", "true", "--given"], true)]
    #[case::no_command(&["exec"], false)]
    #[case::a_schema(&["schema", "given"], true)]
    #[case::no_schema(&["schema", "report"], false)]
    #[case::a_shell(&["completions", "fish"], true)]
    #[case::no_shell(&["completions"], false)]
    #[case::an_address(&["serve", "--listen", "127.0.0.1:0"], true)]
    #[case::no_address(&["serve", "--listen", "here"], false)]
    #[case::an_attack(&["attack", "--url", "http://127.0.0.1:1/", "--", "server"], true)]
    #[case::an_attack_on_nobody(&["attack"], false)]
    #[case::claims_that_are_none(&["attack", "--url", "http://127.0.0.1:1/", "--claims", "[]"], false)]
    fn calls_are_read_or_refused(#[case] args: &[&str], #[case] reads: bool) {
        let parsed = Arguments::try_parse_from(std::iter::once(&"tokenrig").chain(args));
        assert_eq!(parsed.is_ok(), reads, "{:?}", parsed.err());
    }
}
