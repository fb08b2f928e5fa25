//! What one peer may cost.

use std::time::Duration;

/// Bounds on sizes, times and counts of a listener. All times are real time, whatever the rig's clock says.
///
/// ```
/// use tokenrig_gateway::Limits;
///
/// let patient = Limits { idle: std::time::Duration::from_secs(600), ..Limits::default() };
/// assert_eq!(patient.body, 10 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; more wait in the kernel's queue until one ends. A tunnel counts once. Default 4,096.
    pub connections: usize,
    /// Bytes of a request's line and headers, and of the header list of an HTTP/2 request; more is answered 431.
    /// Default 64 KiB.
    pub header_bytes: usize,
    /// From accepting a connection to its first bytes, and from a head's first byte to its last. Noticed up to a quarter
    /// late. Default 10 s.
    pub header_time: Duration,
    /// For a TLS handshake. Default 10 s.
    pub handshake_time: Duration,
    /// Without a request in flight, until the connection is closed; also how long a peer may leave an answer unread.
    /// Default 120 s.
    pub idle: Duration,
    /// Bytes of a request's body; more is answered 413. Does not hold for gRPC, whose streams may be endless and whose
    /// decoder bounds each message. Default 10 MiB.
    pub body: u64,
    /// From the first wait for a body to its last byte; later is answered 408. Does not hold for gRPC. Default 60 s.
    pub body_time: Duration,
    /// Bytes of a body, left unread by its handler, that are read before the answer goes out. Default 1 MiB.
    pub drain: u64,
    /// How long the rest of an unread body is waited for, before and again after the answer. Default 2 s.
    pub linger: Duration,
    /// Requests at once on one HTTP/2 connection. Default 250.
    pub streams: u32,
    /// HTTP/2 streams that a peer may open and reset before they were looked at; more ends the connection. Default 20.
    pub reset_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_bytes: 64 * 1024,
            header_time: Duration::from_secs(10),
            handshake_time: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            body: 10 * 1024 * 1024,
            body_time: Duration::from_secs(60),
            drain: 1024 * 1024,
            linger: Duration::from_secs(2),
            streams: 250,
            reset_streams: 20,
        }
    }
}
