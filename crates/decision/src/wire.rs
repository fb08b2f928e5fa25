//! The shapes in which Google's surfaces say no.

use serde_json::{Map, Value, json};

/// A canonical status code (google.rpc.Code), with its number in gRPC and its status in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of google.rpc.Code and say all there is")]
pub enum Code {
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    Unauthenticated,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
}

impl Code {
    /// The number on the gRPC wire.
    #[must_use]
    pub const fn grpc(self) -> i32 {
        match self {
            Self::Cancelled => 1,
            Self::Unknown => 2,
            Self::InvalidArgument => 3,
            Self::DeadlineExceeded => 4,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::FailedPrecondition => 9,
            Self::Aborted => 10,
            Self::OutOfRange => 11,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }

    /// The code of a number on the gRPC wire; `None` for 0 (OK) and for numbers that are no code.
    #[must_use]
    pub fn from_grpc(number: i32) -> Option<Self> {
        const ALL: [Code; 15] = [
            Code::Cancelled,
            Code::Unknown,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::ResourceExhausted,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
        ];
        ALL.into_iter().find(|code| code.grpc() == number)
    }

    /// The HTTP status that google.rpc.Code documents for it.
    #[must_use]
    pub const fn http(self) -> u16 {
        match self {
            Self::Cancelled => 499,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Unknown | Self::Internal => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }

    /// The name in JSON bodies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// One entry of `details` in a google.rpc.Status. Texts may hold `{arguments}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// `google.rpc.ErrorInfo`; a domain or metadata that the evidence does not show is left empty.
    ErrorInfo {
        /// The reason, in capitals.
        reason: &'static str,
        /// The domain, or empty.
        domain: &'static str,
        /// Keys and values.
        metadata: &'static [(&'static str, &'static str)],
    },
    /// `google.rpc.BadRequest` with one violation.
    BadRequest {
        /// The field, or empty.
        field: &'static str,
        /// What is wrong with it.
        description: &'static str,
    },
    /// `google.rpc.BadRequest` with one violation for each line of the text: the field (or nothing), a tab, the description.
    BadRequestEach {
        /// The lines.
        violations: &'static str,
    },
    /// `google.rpc.PreconditionFailure` with one violation.
    PreconditionFailure {
        /// Its type, for example a constraint.
        kind: &'static str,
        /// The subject, or empty.
        subject: &'static str,
        /// What is wrong, or empty.
        description: &'static str,
    },
    /// `google.rpc.Help` with one link.
    Help {
        /// The link's text.
        description: &'static str,
        /// The link.
        url: &'static str,
    },
}

/// The form of a refusal on the wire. Texts may hold `{arguments}`, filled when it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// google.rpc.Status: JSON at `*.googleapis.com`, a status and its details on gRPC.
    Status {
        /// The canonical code.
        code: Code,
        /// The message.
        message: &'static str,
        /// Typed details.
        details: &'static [Detail],
        /// Headers beyond the usual ones of JSON answers.
        headers: &'static [(&'static str, &'static str)],
        /// The `reason` of the legacy `errors[]` array, where the API still sends one.
        legacy_reason: Option<&'static str>,
    },
    /// RFC 6749, section 5.2: JSON with `error` and `error_description`.
    OAuth {
        /// The HTTP status.
        status: u16,
        /// The error code.
        error: &'static str,
        /// The description.
        description: &'static str,
    },
    /// An HTML page. Arguments are escaped.
    Page {
        /// The HTTP status.
        status: u16,
        /// Headers beyond the content type.
        headers: &'static [(&'static str, &'static str)],
        /// The page.
        html: &'static str,
    },
    /// A line of text.
    Text {
        /// The HTTP status.
        status: u16,
        /// All headers, the content type among them.
        headers: &'static [(&'static str, &'static str)],
        /// The text.
        text: &'static str,
    },
}

/// A refusal as it goes over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Fills `{name}` from `args`; a name without an argument stays as it is, so that a test sees it.
pub(crate) fn fill(template: &str, args: &[(&'static str, String)], escape: fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let named = rest.find('}').and_then(|close| {
            let value = args.iter().find(|(name, _)| *name == &rest[1..close])?;
            Some((close, &value.1))
        });
        match named {
            Some((close, value)) => {
                filled.push_str(&escape(value));
                rest = &rest[close + 1..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Text as it may stand in an HTML page.
pub(crate) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Text as it is; JSON does its own escaping.
pub(crate) fn plain(text: &str) -> String {
    text.to_owned()
}

impl Detail {
    pub(crate) fn json(&self, args: &[(&'static str, String)]) -> Value {
        let text = |template: &str| fill(template, args, plain);
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        match self {
            Self::ErrorInfo { reason, domain, metadata } => {
                put("@type", json!("type.googleapis.com/google.rpc.ErrorInfo"));
                put("reason", json!(reason));
                if !domain.is_empty() {
                    put("domain", json!(domain));
                }
                if !metadata.is_empty() {
                    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(text(value))));
                    put("metadata", Value::Object(metadata.collect()));
                }
            }
            Self::BadRequest { field, description } => {
                let mut violation = json!({ "description": text(description) });
                if !field.is_empty() {
                    violation["field"] = json!(text(field));
                }
                put("@type", json!("type.googleapis.com/google.rpc.BadRequest"));
                put("fieldViolations", json!([violation]));
            }
            Self::BadRequestEach { violations } => {
                let violations = text(violations);
                let violations = violations.lines().map(|line| match line.split_once('\t') {
                    Some((field, description)) if !field.is_empty() => {
                        json!({ "field": field, "description": description })
                    }
                    Some((_, description)) => json!({ "description": description }),
                    None => json!({ "description": line }),
                });
                let violations: Vec<Value> = violations.collect();
                put("@type", json!("type.googleapis.com/google.rpc.BadRequest"));
                put("fieldViolations", json!(violations));
            }
            Self::PreconditionFailure { kind, subject, description } => {
                let mut violation = json!({ "type": kind });
                for (name, template) in [("description", description), ("subject", subject)] {
                    if !template.is_empty() {
                        violation[name] = json!(text(template));
                    }
                }
                put("@type", json!("type.googleapis.com/google.rpc.PreconditionFailure"));
                put("violations", json!([violation]));
            }
            Self::Help { description, url } => {
                put("@type", json!("type.googleapis.com/google.rpc.Help"));
                put("links", json!([{ "description": text(description), "url": text(url) }]));
            }
        }
        Value::Object(object)
    }
}
