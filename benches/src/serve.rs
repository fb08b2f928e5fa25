//! A `tokenrig serve` process, told to end when dropped.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::child::Programs;

/// What the rig holds.
pub(crate) fn given() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/given.yaml"))
}

/// The certificate in a PEM file.
pub(crate) fn certificate(file: &str) -> Result<CertificateDer<'static>, String> {
    let pem = fs::read(file).map_err(|fault| format!("cannot read `{file}`: {fault}"))?;
    CertificateDer::from_pem_slice(&pem).map_err(|fault| format!("`{file}` holds no certificate: {fault}"))
}

/// A process that prints lines at first.
#[derive(Debug)]
pub(crate) struct Standing {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Standing {
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let told = |why: &dyn std::fmt::Display| format!("cannot start a server: {why}");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|fault| told(&fault))?;
        let out = child.stdout.take().ok_or_else(|| told(&"it has no output"))?;
        Ok(Self { child, out: BufReader::new(out) })
    }

    pub(crate) fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.out.read_line(&mut line) {
            Ok(0) => Err("a server ended before it answered".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(fault) => Err(format!("cannot read what a server prints: {fault}")),
        }
    }

    /// Resident memory, in MiB.
    pub(crate) fn memory(&self) -> Result<f64, String> {
        let file = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&file).map_err(|fault| format!("cannot read `{file}`: {fault}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("`{file}` tells no VmRSS"))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        // By a signal that it can obey: it has files to remove.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A rig that answers.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) process: Standing,
    pub(crate) gateway: SocketAddr,
    pub(crate) metadata: SocketAddr,
    pub(crate) ca_file: String,
}

impl Served {
    /// Starts one and reads the environment that it prints, as a shell would.
    pub(crate) fn start(programs: &Programs) -> Result<Self, String> {
        let mut command = Command::new(&programs.tokenrig);
        command.arg("serve").arg("--given").arg(given());
        let mut process = Standing::start(&mut command)?;
        let mut told: HashMap<String, String> = HashMap::new();
        let wanted = ["HTTPS_PROXY", "SSL_CERT_FILE", "GCE_METADATA_HOST"];
        while !wanted.iter().all(|name| told.contains_key(*name)) {
            let line = process.line()?;
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
                told.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            }
        }
        let value = |name: &str| told.get(name).map(String::as_str).unwrap_or_default();
        let addr = |text: &str| text.parse().map_err(|_| format!("`{text}` is no address"));
        Ok(Self {
            gateway: addr(value("HTTPS_PROXY").trim_start_matches("http://"))?,
            metadata: addr(value("GCE_METADATA_HOST"))?,
            ca_file: value("SSL_CERT_FILE").to_owned(),
            process,
        })
    }
}
