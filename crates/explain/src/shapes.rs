//! Credentials that say nothing by themselves: known by their shape alone.

/// What a text is by its shape, and who takes it.
pub(crate) struct Shape {
    pub(crate) what: &'static str,
    pub(crate) taken: &'static str,
    /// What is usually wrong when it turns up as a token.
    pub(crate) caution: Option<(&'static str, &'static str)>,
}

const NO_ID_TOKEN: (&str, &str) = (
    "Cloud Run, Cloud Functions and IAP take an ID token, not this",
    "for those ask for an ID token: `gcloud auth print-identity-token`, or `generateIdToken` with the service's URL as `audience`",
);

/// The shapes, the longer start first.
const SHAPES: [(&str, Shape); 22] = [
    (
        "ya29.c.",
        Shape {
            what: "an OAuth 2.0 access token of Google, as service accounts get",
            taken: "Google's APIs, for an hour as a rule, within its scopes",
            caution: Some((
                "whose it is and until when, only Google can tell: it is opaque",
                "ask `https://oauth2.googleapis.com/tokeninfo`, or `gcloud auth print-access-token --verbosity=debug` where it was made",
            )),
        },
    ),
    (
        "ya29.d.",
        Shape {
            what: "a federated access token of Google, as the Security Token Service gives",
            taken: "IAM Credentials, and those Google APIs that take federated identities",
            caution: None,
        },
    ),
    (
        "ya29.",
        Shape {
            what: "an OAuth 2.0 access token of Google",
            taken: "Google's APIs, for an hour as a rule, within its scopes",
            caution: None,
        },
    ),
    (
        "1//",
        Shape {
            what: "a refresh token of Google",
            taken: "https://oauth2.googleapis.com/token, together with the id and secret of the OAuth client that it was made for",
            caution: Some((
                "it is no access token: no API takes it",
                "exchange it with `grant_type=refresh_token`; client libraries do that with a file of type `authorized_user`",
            )),
        },
    ),
    (
        "4/",
        Shape {
            what: "an authorization code of Google",
            taken: "https://oauth2.googleapis.com/token, once and within minutes, with the `redirect_uri` it was asked for with",
            caution: Some(("it is no token yet", "exchange it with `grant_type=authorization_code`")),
        },
    ),
    (
        "AIza",
        Shape {
            what: "an API key of Google",
            taken: "APIs that need no identity, as `?key=` or `X-Goog-Api-Key`",
            caution: Some((
                "it names a project, not a caller: it is no bearer token, and no IAM policy can name it",
                "use credentials of a service account or a user",
            )),
        },
    ),
    (
        "GOCSPX-",
        Shape {
            what: "the client secret of an OAuth client of Google",
            taken: "https://oauth2.googleapis.com/token, together with the client's id",
            caution: Some(("it is no token", "sign somebody in with it, and use the tokens that come of that")),
        },
    ),
    (
        "GOOG1",
        Shape {
            what: "the access id of an HMAC key of Cloud Storage",
            taken: "Cloud Storage, in a request that is signed with the key's secret",
            caution: Some(("it is no token", "sign requests with it and its secret")),
        },
    ),
    (
        "AKIA",
        Shape {
            what: "the access key id of an AWS user",
            taken: "AWS, in a request that is signed with the key's secret",
            caution: Some((
                "Google takes a signed GetCallerIdentity request as subject token, not this",
                "use an `external_account` file with `environment_id: aws1`",
            )),
        },
    ),
    (
        "ASIA",
        Shape {
            what: "the access key id of an AWS session",
            taken: "AWS, in a request that is signed with the session's secret",
            caution: Some((
                "Google takes a signed GetCallerIdentity request as subject token, not this",
                "use an `external_account` file with `environment_id: aws1`",
            )),
        },
    ),
    (
        "ghp_",
        Shape {
            what: "a personal access token of GitHub",
            taken: "GitHub",
            caution: Some((
                "it is no OpenID token: the Security Token Service does not take it",
                "let the workflow have `permissions: id-token: write` and ask for its OpenID token",
            )),
        },
    ),
    (
        "ghs_",
        Shape {
            what: "a token of a GitHub app, as `GITHUB_TOKEN` is",
            taken: "GitHub",
            caution: Some((
                "it is no OpenID token: the Security Token Service does not take it",
                "let the workflow have `permissions: id-token: write` and ask for its OpenID token",
            )),
        },
    ),
    (
        "gho_",
        Shape {
            what: "an OAuth token of GitHub",
            taken: "GitHub",
            caution: Some((
                "it is no OpenID token: the Security Token Service does not take it",
                "let the workflow have `permissions: id-token: write` and ask for its OpenID token",
            )),
        },
    ),
    (
        "glpat-",
        Shape {
            what: "a personal access token of GitLab",
            taken: "GitLab",
            caution: Some((
                "it is no OpenID token: the Security Token Service does not take it",
                "use `id_tokens:` in the job",
            )),
        },
    ),
    (
        "-----BEGIN CERTIFICATE",
        Shape {
            what: "a certificate",
            taken: "whoever trusts its issuer; the Security Token Service takes its chain as a subject token of type mtls",
            caution: None,
        },
    ),
    (
        "-----BEGIN",
        Shape {
            what: "a private key or another PEM file",
            taken: "nobody: a private key stays where it is",
            caution: Some(("a key is no token, and must not be sent", "sign with it")),
        },
    ),
    (
        "<saml",
        Shape {
            what: "a SAML assertion, as XML",
            taken: "the Security Token Service, base64, as a subject token of type saml2",
            caution: None,
        },
    ),
    (
        "<",
        Shape {
            what: "XML or HTML; a SAML response perhaps",
            taken: "the Security Token Service, if it is a SAML response, base64, as a subject token of type saml2",
            caution: None,
        },
    ),
    (
        "PHNhbW",
        Shape {
            what: "a SAML response or assertion, base64",
            taken: "the Security Token Service, as a subject token of type saml2",
            caution: None,
        },
    ),
    (
        "PD94bW",
        Shape {
            what: "XML in base64: a SAML response, perhaps",
            taken: "the Security Token Service, as a subject token of type saml2",
            caution: None,
        },
    ),
    (
        "$",
        Shape {
            what: "the name of a variable, which nobody has replaced",
            taken: "nobody",
            caution: Some((
                "it is no token: a shell or a pipeline has left the variable as it is",
                "use double quotes, or export the variable before",
            )),
        },
    ),
    (
        "ewog",
        Shape {
            what: "base64 of JSON; a credential file perhaps",
            taken: "nobody",
            caution: Some(("it is no token", "decode it with `base64 -d` and look at it with `explain credentials`")),
        },
    ),
];

/// Calls that take an ID token get something else often enough to say so.
pub(crate) fn find(text: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|(start, _)| text.starts_with(start)).map(|(_, shape)| shape)
}

/// What to say of an access token beside [`Shape::caution`].
pub(crate) fn access_token_caution(text: &str) -> Option<(&'static str, &'static str)> {
    text.starts_with("ya29.").then_some(NO_ID_TOKEN)
}
