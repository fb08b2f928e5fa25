//! Words of steps and of what is expected of them.

use super::{Word, not_yet, played};

/// The verbs of steps.
pub(crate) const VERBS: &[Word] = &[
    played("mint")
        .about("Makes a token of a given issuer, wrong on purpose if `flaw` says how. `iss`, `iat` and `exp` are filled in where `claims` lacks them.")
        .example("corp"),
    played("exchange")
        .about("Shows a subject token to Google's STS (`sts.token`), with the usual five fields; `with` replaces each.")
        .example("${subject_token}"),
    played("call")
        .about("Calls a method of Google's: `api.collection.method`, its discovery id without `projects.` and `locations.`. `rig.…` are calls of our own, offline only.")
        .example("iamcredentials.serviceAccounts.generateIdToken"),
    played("http")
        .about("Sends any request: a method, a space, a whole URL. The target goes out byte for byte; nothing is retried, no redirect is followed.")
        .example("GET ${orders.uri}/hello"),
    not_yet("sign")
        .about("Makes a signed URL, signed by IAM Credentials (`signBlob`).")
        .example("GET gs://${reports.name}/q1.csv"),
    played("run")
        .about("Runs a real client in the environment of `exec`. A text is split into words as POSIX does, before holes are filled; no shell. A list is taken as it is.")
        .example("python call.py ${orders.uri}"),
    played("advance")
        .about("Moves the clock by a duration or to an instant, and waits until all that fell due is done.")
        .example("9m59s"),
    played("receive")
        .about("What reached a service since the last look, refused requests included. Its id is that of a given service or function.")
        .example("orders"),
];

/// Keys that any step may have.
pub(crate) const ANY_STEP: &[Word] = &[
    played("step")
        .about("Its title, a sentence; no holes.")
        .example("Google's STS takes it in exchange for a federated token"),
    played("as")
        .about("Who calls: a given service account, a token (`${…}`), `owner` (the run's own credentials, what `call` does by itself) or `nobody` (what `http` does by itself).")
        .example("${id_token}"),
    played("save").about("Names, and the CEL whose value they have from here on.").example("{ federated: body.access_token }"),
    played("expect")
        .about("What must come of it. Without it a step fails on a status of 400 and more, and on an exit code other than 0.")
        .example("{ status: 200 }"),
    played("deadline")
        .about("How much real time it may take: 10 s by itself, 120 s for `run`, none for `advance`.")
        .example("30s"),
];

const WITH: Word = played("with")
    .about("The fields of the request as in Google's REST reference, path parameters among them.")
    .example("{ name: \"projects/-/serviceAccounts/${caller.email}\", audience: \"${orders.uri}\" }");

const HEADERS: Word =
    played("headers").about("Headers of the request; a list sends one for each item.").example("{ x-trace: \"1\" }");

const MINT: &[Word] = &[
    played("claims")
        .about("The claims; `${absent}` takes one of the usual ones away.")
        .example("{ sub: alice, aud: \"${corp_oidc.name}\" }"),
    played("header")
        .about("Members of the JOSE header that differ from the usual `alg`, `kid`, `typ`.")
        .example("{ typ: at+jwt }"),
    played("key")
        .about("The key that signs: an algorithm (`RS256`, `ES256`) or the id of a published key.")
        .example("ES256"),
    played("flaw").about("What is wrong with it on purpose: one of a list of names.").example("wrong-key"),
    played("raw").about("The whole token, whatever it is; nothing else may stand beside it.").example("not-a-token"),
];

const EXCHANGE_STEP: &[Word] = &[
    played("at").about("The provider's resource name; `audience` is made of it.").example("${corp_oidc.name}"),
    played("with")
        .about("Fields of `sts.token` in REST spelling, each in place of the usual one.")
        .example("{ scope: openid }"),
];

const CALL: &[Word] =
    &[WITH, played("over").about("The wire: `rest`, which it is by itself, or `grpc`.").example("grpc")];

const HTTP: &[Word] = &[
    HEADERS,
    played("query").about("Parameters that are put behind the target, encoded.").example("{ alt: json }"),
    played("json").about("The body, as JSON.").example("{ audience: me }"),
    played("form").about("The body, as a form.").example("{ grant_type: refresh_token }"),
    played("text").about("The body, as text.").example("a,b"),
    played("file").about("The body: a file of the scenario's folder.").example("q1.csv"),
];

const SIGN: &[Word] = &[
    played("by").about("The service account that signs.").example("signer"),
    played("expires").about("How long the URL is good.").example("10m"),
    played("version").about("`v4`, which it is by itself, or `v2`.").example("v2"),
    HEADERS,
];

const RUN: &[Word] = &[
    played("env").about("Variables beside those that lead to the rig.").example("{ LANG: C }"),
    played("dir").about("Where it runs: a folder below the scenario's.").example("app"),
    played("stdin").about("What it reads.").example("${subject_token}"),
];

const RECEIVE: &[Word] =
    &[played("within").about("How long to wait for what is expected, in real time.").example("5s")];

/// Keys that a step of this verb may have beside those of any step.
pub(crate) fn step_keys(verb: &str) -> &'static [Word] {
    match verb {
        "mint" => MINT,
        "exchange" => EXCHANGE_STEP,
        "call" => CALL,
        "http" => HTTP,
        "sign" => SIGN,
        "run" => RUN,
        "receive" => RECEIVE,
        _ => &[],
    }
}

/// All keys of `expect`.
pub(crate) const EXPECT: &[Word] = &[
    played("status").about("The HTTP status; of gRPC the one that the code stands for.").example("200"),
    played("headers")
        .about("Headers, in any letter case; those that are named, more is fine.")
        .example("{ content-type: application/json }"),
    played("body")
        .about("The body, parsed: a map must hold what is named, a list is compared whole.")
        .example("{ token_type: Bearer }"),
    played("text").about("The body as text.").example("a,b"),
    played("token")
        .about("The token of the answer or of the request: its signature is always verified.")
        .example("{ signer: google, claims: { aud: \"${orders.uri}\" } }"),
    played("exit").about("The exit code of a command.").example("0"),
    played("stdout").about("What a command printed.").example("${it.contains('done')}"),
    played("stderr").about("What a command complained of.").example("${it.contains('401')}"),
    played("count").about("How many requests were received.").example("5"),
    played("url").about("The signed URL.").example("${it.startsWith('https://storage.googleapis.com/')}"),
    played("method").about("The verb of each received request.").example("POST"),
    played("path").about("Path and query of each received request.").example("/tick"),
    played("refusal")
        .about("The whole wire form (status, headers, body) of a catalogued refusal, by its id.")
        .example("run-front-token-unverifiable"),
    played("decision").about("What the rig decided about the request, offline only.").example("{ failed: audience }"),
    played("that").about("A list of CEL, each of which must be true.").example("[\"size(requests) == 1\"]"),
];

/// Keys of `expect` that make sense after this verb.
pub(crate) fn expect_keys(verb: &str) -> &'static [&'static str] {
    match verb {
        "mint" => &["token", "that"],
        "exchange" | "call" | "http" => &["status", "headers", "body", "text", "token", "refusal", "decision", "that"],
        "sign" => &["url", "status", "headers", "body", "text", "refusal", "decision", "that"],
        "run" => &["exit", "stdout", "stderr", "decision", "that"],
        "advance" => &["decision", "that"],
        "receive" => {
            &["count", "method", "path", "status", "headers", "body", "text", "token", "refusal", "decision", "that"]
        }
        _ => &["that"],
    }
}

/// Keys of `expect.token`.
pub(crate) const EXPECT_TOKEN: &[Word] = &[
    played("signer")
        .about("Whose keys verify it: `google`, an issuer's id or URL, a service account's e-mail.")
        .example("google"),
    played("header").about("The JOSE header, as a shape.").example("{ alg: RS256 }"),
    played("claims").about("The claims, as a shape.").example("{ aud: \"${orders.uri}\" }"),
    played("lifetime").about("From `iat` to `exp`.").example("1h"),
    played("at").about("Where it is, if not in the usual field: a hole.").example("${body.token}"),
];

/// Keys of `expect.decision`.
pub(crate) const EXPECT_DECISION: &[Word] = &[
    played("failed").about("The name of the check that gave the answer; `null` if all passed.").example("audience"),
    played("refusal").about("The id of the refusal.").example("run-front-token-unverifiable"),
    played("expected").about("What the failed check expected, as a shape.").example("${it.contains(orders.uri)}"),
    played("found").about("What it found, as a shape.").example("https://billing.example.com"),
];

/// Fields of `sts.token`, in REST spelling.
pub(crate) const EXCHANGE: &[&str] =
    &["audience", "grantType", "options", "requestedTokenType", "scope", "subjectToken", "subjectTokenType"];

/// What CEL sees in `save` and `expect` after a step of this verb.
pub(crate) fn results(verb: &str) -> &'static [&'static str] {
    match verb {
        "mint" => &["token"],
        "exchange" | "call" | "http" => &["status", "headers", "body", "text"],
        "sign" => &["status", "headers", "body", "text", "url"],
        "run" => &["exit", "stdout", "stderr"],
        "receive" => &["requests"],
        _ => &[],
    }
}

/// What CEL sees after some step.
pub(crate) const RESULTS: &[&str] =
    &["status", "headers", "body", "text", "token", "url", "exit", "stdout", "stderr", "requests"];
