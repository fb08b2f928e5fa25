//! From starting a process to its first answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use rustls::{
    ClientConnection, StreamOwned,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::Value;
use tokenrig_clock::real::Stopwatch;

use crate::{
    child::Programs,
    load::trusting,
    scale::{ROUNDS, Scale},
    serve::{Served, Standing, certificate},
    table::{Goal, Row, Unit, median},
};

const HOST: &str = "iamcredentials.googleapis.com";
/// For one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer.
const MOST: u64 = 64 * 1024;

/// The rig's first ID token: the client learns where the rig is as a shell does, gets an access token at the metadata
/// server, and calls through CONNECT and TLS. The baseline's client goes to its server by TLS alone.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let times = scale.of(50, ROUNDS);
    let mut pairs = Vec::with_capacity(times);
    for _ in 0..times {
        pairs.push((rig(programs)?, empty(programs)?));
    }
    // Medians of tenths, so that the spread is that of five rounds as everywhere.
    let rounds: Vec<(f64, f64)> = pairs
        .chunks((times / ROUNDS).max(1))
        .map(|round| (median(round.iter().map(|pair| pair.0)), median(round.iter().map(|pair| pair.1))))
        .collect();
    let goal = Goal::Both(2.5, 30.0);
    let mut row = Row::paired("start to first generateIdToken", Unit::Milliseconds, &rounds, goal);
    row.figure = median(pairs.iter().map(|pair| pair.0));
    row.baseline = Some(median(pairs.iter().map(|pair| pair.1)));
    Ok(vec![row])
}

fn rig(programs: &Programs) -> Result<f64, String> {
    let watch = Stopwatch::start();
    let served = Served::start(programs)?;
    let mut stream = open(served.metadata)?;
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let head = format!("GET {path} HTTP/1.1\r\nHost: metadata.google.internal\r\nMetadata-Flavor: Google\r\n");
    send(&mut stream, &format!("{head}Connection: close\r\n\r\n"))?;
    let answer: Value = serde_json::from_str(&answer(stream)?).map_err(|fault| format!("no access token: {fault}"))?;
    let token = answer["access_token"].as_str().ok_or("no access token")?;

    let mut stream = open(served.gateway)?;
    send(&mut stream, &format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n"))?;
    let head = head_of(&mut stream)?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("no tunnel: {head}"));
    }
    let answer = call(stream, certificate(&served.ca_file)?, token)?;
    let took = watch.elapsed();
    if !answer.contains("\"token\"") {
        return Err("no ID token in the answer".to_owned());
    }
    Ok(milliseconds(took))
}

fn empty(programs: &Programs) -> Result<f64, String> {
    let watch = Stopwatch::start();
    let mut process = Standing::start(&mut Command::new(&programs.empty))?;
    let port: u16 = process.line()?.parse().map_err(|_| "the empty server tells no port")?;
    let hex = process.line()?;
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let der: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    let der = der.ok_or("the empty server tells no certificate")?;
    call(open(SocketAddr::from(([127, 0, 0, 1], port)))?, CertificateDer::from(der), "ya29.none")?;
    Ok(milliseconds(watch.elapsed()))
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

/// One call of generateIdToken over TLS; the answer's body.
fn call(stream: TcpStream, trusted: CertificateDer<'static>, token: &str) -> Result<String, String> {
    let name = ServerName::try_from(HOST).map_err(|fault| fault.to_string())?;
    let connection = ClientConnection::new(trusting(trusted)?, name).map_err(|fault| fault.to_string())?;
    let mut stream = StreamOwned::new(connection, stream);
    let body = r#"{"audience":"https://orders.example.com","includeEmail":true}"#;
    let account = "caller@shop-test.iam.gserviceaccount.com";
    let head = format!("POST /v1/projects/-/serviceAccounts/{account}:generateIdToken HTTP/1.1\r\nHost: {HOST}\r\n");
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    send(&mut stream, &format!("{head}{more}Authorization: Bearer {token}\r\n\r\n{body}"))?;
    answer(stream)
}

fn open(addr: SocketAddr) -> Result<TcpStream, String> {
    let told = |fault: std::io::Error| format!("cannot connect: {fault}");
    let stream = TcpStream::connect(addr).map_err(told)?;
    stream.set_nodelay(true).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    Ok(stream)
}

fn send(stream: &mut impl Write, text: &str) -> Result<(), String> {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(|fault| format!("cannot send: {fault}"))
}

/// The head of an answer that has no body.
fn head_of(stream: &mut impl Read) -> Result<String, String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 {
        stream.read_exact(&mut byte).map_err(|fault| format!("no whole answer: {fault}"))?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The body of an answer that ends with the connection.
fn answer(stream: impl Read) -> Result<String, String> {
    let mut text = Vec::new();
    stream.take(MOST).read_to_end(&mut text).map_err(|fault| format!("no whole answer: {fault}"))?;
    let text = String::from_utf8_lossy(&text);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no whole answer")?;
    if head.starts_with("HTTP/1.1 200") { Ok(body.to_owned()) } else { Err(format!("not answered 200: {text}")) }
}
