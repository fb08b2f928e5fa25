//! A wire answer that says no: the constant, and one giving of it.

use serde_json::{Map, Value, json};

use crate::{
    evidence::Evidence,
    wire::{Code, Form, Wire, fill, html, plain},
};

/// One wire form that says no. Each service keeps its own as constants in `refusals.rs`, listed in `ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Every catalogue id that has this form. The check that refuses names the one that it means.
    pub ids: &'static [&'static str],
    /// When Google gives it, in a sentence.
    pub when: &'static str,
    /// How it looks.
    pub wire: Wire,
    /// Why we believe so.
    pub evidence: Evidence,
}

impl Refusal {
    /// Gives this refusal as the catalogue's `id`, which is one of [`ids`](Refusal::ids).
    #[must_use]
    pub fn refuse(&'static self, id: &'static str) -> Refused {
        debug_assert!(self.ids.contains(&id), "`{id}` is not an id of {:?}", self.ids);
        Refused { refusal: self, id, args: Vec::new() }
    }
}

/// A refusal as it was given: with the id that was meant and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    refusal: &'static Refusal,
    id: &'static str,
    args: Vec<(&'static str, String)>,
}

impl Refused {
    /// Fills `{name}` of the form.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    /// The constant.
    #[must_use]
    pub fn refusal(&self) -> &'static Refusal {
        self.refusal
    }

    /// The catalogue's id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The canonical code, where the form has one; else the one that its HTTP status stands for.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.refusal.wire {
            Wire::Status { code, .. } => code,
            Wire::OAuth { status, .. } | Wire::Page { status, .. } | Wire::Text { status, .. } => match status {
                400 => Code::InvalidArgument,
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                404 => Code::NotFound,
                409 => Code::Aborted,
                429 => Code::ResourceExhausted,
                501 => Code::Unimplemented,
                503 => Code::Unavailable,
                504 => Code::DeadlineExceeded,
                _ => Code::Unknown,
            },
        }
    }

    /// The message or description, filled.
    #[must_use]
    pub fn message(&self) -> String {
        match self.refusal.wire {
            Wire::Status { message, .. } => fill(message, &self.args, plain),
            Wire::OAuth { description, .. } => fill(description, &self.args, plain),
            Wire::Page { html: page, .. } => fill(page, &self.args, html),
            Wire::Text { text, .. } => fill(text, &self.args, plain),
        }
    }

    /// The typed details as proto3 JSON with `@type`, filled; empty where the form has none.
    #[must_use]
    pub fn details(&self) -> Vec<Value> {
        match self.refusal.wire {
            Wire::Status { details, .. } => details.iter().map(|detail| detail.json(&self.args)).collect(),
            _ => Vec::new(),
        }
    }

    /// The refusal as an HTTP answer.
    #[must_use]
    pub fn form(&self) -> Form {
        let more = |headers: &'static [(&'static str, &'static str)]| {
            headers.iter().map(|(name, value)| (*name, fill(value, &self.args, plain)))
        };
        match self.refusal.wire {
            Wire::Status { code, headers, legacy_reason, .. } => {
                let mut error = Map::new();
                error.insert("code".into(), json!(code.http()));
                error.insert("message".into(), json!(self.message()));
                if let Some(reason) = legacy_reason {
                    error.insert(
                        "errors".into(),
                        json!([{ "message": self.message(), "domain": "global", "reason": reason }]),
                    );
                }
                error.insert("status".into(), json!(code.name()));
                let details = self.details();
                if !details.is_empty() {
                    error.insert("details".into(), Value::Array(details));
                }
                let body = format!("{:#}\n", json!({ "error": error }));
                let mut all = vec![("content-type", "application/json; charset=UTF-8".to_owned())];
                all.extend(more(headers));
                Form { status: code.http(), headers: all, body }
            }
            Wire::OAuth { status, error, .. } => Form {
                status,
                headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
                body: json!({ "error": fill(error, &self.args, plain), "error_description": self.message() })
                    .to_string(),
            },
            Wire::Page { status, headers, .. } => {
                let mut all = vec![("content-type", "text/html; charset=UTF-8".to_owned())];
                all.extend(more(headers));
                Form { status, headers: all, body: self.message() }
            }
            Wire::Text { status, headers, .. } => {
                Form { status, headers: more(headers).collect(), body: self.message() }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::Detail;

    /// With a part to fill in everywhere: message, details, headers.
    pub(crate) const DENIED: Refusal = Refusal {
        ids: &["denied"],
        when: "always",
        wire: Wire::Status {
            code: Code::PermissionDenied,
            message: "Permission '{permission}' denied on resource (or it may not exist).",
            details: &[Detail::ErrorInfo {
                reason: "IAM_PERMISSION_DENIED",
                domain: "iam.googleapis.com",
                metadata: &[("permission", "{permission}")],
            }],
            headers: &[("www-authenticate", "Bearer realm=\"{realm}\"")],
            legacy_reason: None,
        },
        evidence: Evidence::assumed("a test"),
    };

    const PAGE: Refusal = Refusal {
        ids: &["page"],
        when: "always",
        wire: Wire::Page {
            status: 401,
            headers: &[("www-authenticate", "Bearer")],
            html: "<code>{path}</code> {other}",
        },
        evidence: Evidence::assumed("a test"),
    };

    #[test]
    fn a_status_is_filled_in_message_and_details() {
        let refused = DENIED.refuse("denied").with("permission", "iam.serviceAccounts.signBlob");
        let body: Value = serde_json::from_str(&refused.form().body).unwrap();
        assert_eq!(
            body,
            json!({ "error": {
                "code": 403,
                "message": "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist).",
                "status": "PERMISSION_DENIED",
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "IAM_PERMISSION_DENIED",
                    "domain": "iam.googleapis.com",
                    "metadata": { "permission": "iam.serviceAccounts.signBlob" },
                }],
            } })
        );
    }

    #[test]
    fn an_argument_cannot_bring_markup_into_a_page_nor_be_filled_twice() {
        let refused = PAGE.refuse("page").with("path", "/<script>{other}").with("other", "x");
        assert_eq!(refused.form().body, "<code>/&lt;script&gt;{other}</code> x");
    }
}
