//! Every refusal that the metadata server can give here. All carry the header by which a client knows the server.

use tokenrig_decision::{Evidence, Refusal, Wire};

const KNOWN_BY: &[(&str, &str)] = &[("metadata-flavor", "Google"), ("server", "Metadata Server for VM")];
const TEXT: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=UTF-8"),
    ("metadata-flavor", "Google"),
    ("server", "Metadata Server for VM"),
];

/// The request does not say that it is meant for the metadata server.
///
/// Arguments: `path`.
pub(crate) const FLAVOR_MISSING: Refusal = Refusal {
    ids: &["metadata-flavor-missing"],
    when: "the request has no header `Metadata-Flavor: Google`",
    wire: Wire::Page { status: 403, headers: KNOWN_BY, html: include_str!("pages/403.html") },
    evidence: Evidence::captured(
        "a public workshop's capture; the source of Google's own fake metadata server (status and headers)",
        "status, headers and the sentence",
    ),
};

/// The request came by way of a proxy.
///
/// Arguments: `path`.
pub(crate) const FORWARDED: Refusal = Refusal {
    ids: &["metadata-forwarded"],
    when: "the request has a header `X-Forwarded-For`",
    wire: Wire::Page { status: 403, headers: KNOWN_BY, html: include_str!("pages/403-forwarded.html") },
    evidence: Evidence::assumed(
        "the Compute Engine guide says that such requests are refused; the form is that of a request without the header",
    ),
};

/// There is nothing of this name.
///
/// Arguments: `path`.
pub(crate) const NOT_FOUND: Refusal = Refusal {
    ids: &["metadata-not-found", "metadata-account-not-found"],
    when: "nothing has this path, or the machine has no such service account",
    wire: Wire::Page { status: 404, headers: KNOWN_BY, html: include_str!("pages/404.html") },
    evidence: Evidence::documented(
        "https://cloud.google.com/compute/docs/troubleshooting/troubleshoot-metadata-server",
        "status",
    ),
};

/// The path is there and cannot be changed.
///
/// Arguments: `verb`, `path`.
pub(crate) const METHOD_NOT_ALLOWED: Refusal = Refusal {
    ids: &["metadata-method-not-allowed"],
    when: "the request is neither GET nor HEAD",
    wire: Wire::Page { status: 405, headers: KNOWN_BY, html: include_str!("pages/405.html") },
    evidence: Evidence::assumed("Google's usual page; guest attributes, which can be written, are not played"),
};

/// An ID token for nobody.
pub(crate) const AUDIENCE_MISSING: Refusal = Refusal {
    ids: &["metadata-identity-audience-missing"],
    when: "an ID token is asked for with no or an empty `audience`",
    wire: Wire::Text { status: 400, headers: TEXT, text: "non-empty audience parameter required\n" },
    evidence: Evidence::reported("several independent emulators (salrashid123/gce_metadata_server)", "text"),
};

/// A parameter has a value that it cannot have.
///
/// Arguments: `name`.
pub(crate) const PARAMETER_INVALID: Refusal = Refusal {
    ids: &["metadata-parameter-invalid"],
    when: "`format`, `licenses` or `alt` has a value that it cannot have",
    wire: Wire::Text { status: 400, headers: TEXT, text: "invalid value of parameter {name}\n" },
    evidence: Evidence::assumed("the form of a missing audience; the words are ours"),
};

/// What this server does not play.
///
/// Arguments: `what`.
pub(crate) const NOT_PLAYED: Refusal = Refusal {
    ids: &["metadata-not-played"],
    when: "the request asks for something that the rig does not play",
    wire: Wire::Text { status: 501, headers: TEXT, text: "tokenrig's metadata server does not play {what}.\n" },
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] =
    &[&FLAVOR_MISSING, &FORWARDED, &NOT_FOUND, &METHOD_NOT_ALLOWED, &AUDIENCE_MISSING, &PARAMETER_INVALID, &NOT_PLAYED];
