//! What the front end does with a request beside judging it: its headers, a bounded copy of its body, its log.

pub(crate) mod headers;
pub(crate) mod kept;
pub(crate) mod log;
pub(crate) mod redact;
pub(crate) mod tap;
