//! The one table of known words. A word whose service does not exist yet is known and says so: playing it means changing
//! `not_yet` to `played` here.

/// A word of the format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) played: bool,
}

const fn played(name: &'static str) -> Word {
    Word { name, played: true }
}

const fn not_yet(name: &'static str) -> Word {
    Word { name, played: false }
}

/// Keys of a scenario file.
pub(crate) const FILE: &[Word] = &[
    played("scenario"),
    played("about"),
    played("tags"),
    played("worlds"),
    played("needs"),
    played("now"),
    played("vars"),
    played("given"),
    played("cases"),
    played("steps"),
];

/// Worlds.
pub(crate) const WORLDS: &[Word] = &[played("offline"), played("live")];

/// What a scenario may need.
pub(crate) const NEEDS: &[Word] = &[
    played("echo"),
    played("gcloud"),
    played("python"),
    played("node"),
    played("go"),
    played("java"),
    played("docker"),
    played("saml"),
    played("netns"),
];

/// Keys of `given` that are no collections of Google's.
pub(crate) const SECTIONS: &[Word] = &[
    played("include"),
    played("project"),
    played("issuers"),
    played("users"),
    played("oauth2.clients"),
    played("aws.accounts"),
    played("settings"),
    not_yet("organization"),
    not_yet("workspace"),
];

/// Keys of `given` that are collections of Google's.
pub(crate) const COLLECTIONS: &[Word] = &[
    played("iam.workloadIdentityPools"),
    played("iam.roles"),
    played("iam.serviceAccounts"),
    played("run.services"),
    played("cloudfunctions.functions"),
    played("cloudscheduler.jobs"),
    played("cloudtasks.queues"),
    not_yet("iam.workforcePools"),
    played("orgpolicy.policies"),
    not_yet("pubsub.schemas"),
    not_yet("pubsub.subscriptions"),
    not_yet("pubsub.topics"),
    not_yet("storage.buckets"),
    not_yet("workflows.workflows"),
];

/// APIs of Google whose methods are known to come; those of the method table are played.
pub(crate) const APIS_TO_COME: &[&str] =
    &["iap", "logging", "oauth2", "pubsub", "storage", "workflowexecutions", "workflows"];

/// Keys of a resource that are ours and not Google's, beside `iamPolicy` (wherever Google has one) and `location`
/// (wherever the location is not always `global`).
pub(crate) fn ours(collection: &str) -> &'static [&'static str] {
    match collection {
        "iam.workloadIdentityPools" => &["providers"],
        "iam.serviceAccounts" => &["keys", "disabled"],
        "cloudfunctions.functions" | "run.services" => &["workload"],
        "cloudtasks.queues" => &["tasks"],
        _ => &[],
    }
}

/// The collection of what is in a pool under a key of ours.
pub(crate) const PROVIDERS: &str = "iam.workloadIdentityPools.providers";

/// The collections of what is in a resource under a key of ours, by that key.
pub(crate) const INNER: &[(&str, &str)] = &[("providers", PROVIDERS), ("tasks", "cloudtasks.queues.tasks")];

/// What may answer behind a service: words and keys of `workload`. A URL is a word of its own, `URL`.
pub(crate) const WORKLOADS: &[Word] =
    &[played("echo"), played("issuer"), played("answers"), played("command"), played("image"), played("URL")];

/// Fields of a service account's key.
pub(crate) const ACCOUNT_KEY: &[&str] = &["publicKeyData", "disabled"];

/// Keys of `project`.
pub(crate) const PROJECT: &[Word] =
    &[played("projectId"), played("projectNumber"), played("location"), played("agents"), played("iamPolicy")];

/// Keys of an issuer.
pub(crate) const ISSUER: &[Word] =
    &[played("issuer"), played("misbehaves"), played("alg"), played("flaw"), played("upstream")];

/// How an issuer misbehaves: the names that the service of issuers has for it.
pub const MISBEHAVIOURS: &[&str] = &[
    "none",
    "keys-unreachable",
    "slow",
    "redirects",
    "server-error",
    "html",
    "wrong-issuer",
    "unknown-kid",
    "bad-keys",
    "oversized",
    "wrong-certificate",
    "wrong-nonce",
    "wrong-userinfo",
];

/// What an issuer signs with.
pub(crate) const ALGORITHMS: &[&str] = &["RS256", "ES256"];

/// Keys of a user.
pub(crate) const USER: &[Word] = &[played("refreshTokens")];

/// Keys of a refresh token.
pub(crate) const REFRESH_TOKEN: &[Word] = &[played("client"), played("state")];

/// What has become of a refresh token.
pub const REFRESH_STATES: &[&str] = &["active", "revoked", "reauth-due"];

/// Keys of an AWS account.
pub(crate) const AWS_ACCOUNT: &[Word] = &[played("region"), played("roles"), played("users")];

/// Keys of a role or user of an AWS account.
pub(crate) const AWS_PRINCIPAL: &[Word] =
    &[played("accessKeyId"), played("secretAccessKey"), played("sessionToken"), played("roleSessionName")];

/// Keys of an OAuth client.
pub(crate) const CLIENT: &[Word] = &[played("clientId"), played("clientSecret")];

/// The OAuth client that is known without being given.
pub(crate) const GCLOUD: &str = "gcloud";

/// Keys of `settings`.
pub(crate) const SETTINGS: &[Word] =
    &[played("seed"), played("propagation"), played("quotas"), played("disabledServices")];

/// The verbs of steps.
pub(crate) const VERBS: &[Word] = &[
    played("mint"),
    played("exchange"),
    played("call"),
    played("http"),
    not_yet("sign"),
    played("run"),
    played("advance"),
    played("receive"),
];

/// Keys that any step may have.
pub(crate) const ANY_STEP: &[&str] = &["step", "as", "save", "expect", "deadline"];

/// Keys that a step of this verb may have beside those of any step.
pub(crate) fn step_keys(verb: &str) -> &'static [&'static str] {
    match verb {
        "mint" => &["claims", "header", "key", "flaw", "raw"],
        "exchange" => &["at", "with"],
        "call" => &["with", "over"],
        "http" => &["headers", "query", "json", "form", "text", "file"],
        "sign" => &["by", "expires", "version", "headers"],
        "run" => &["env", "dir", "stdin"],
        "receive" => &["within"],
        _ => &[],
    }
}

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

/// All keys of `expect`.
pub(crate) const EXPECT: &[&str] = &[
    "status", "headers", "body", "text", "token", "exit", "stdout", "stderr", "count", "url", "method", "path",
    "refusal", "decision", "that",
];

/// Keys of `expect.token`.
pub(crate) const EXPECT_TOKEN: &[&str] = &["signer", "header", "claims", "lifetime", "at"];

/// Keys of `expect.decision`.
pub(crate) const EXPECT_DECISION: &[&str] = &["failed", "refusal", "expected", "found"];

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

/// What CEL always sees.
pub(crate) const ALWAYS: &[&str] = &["case", "vars", "project", "now", "given"];

/// The functions that the runner brings.
pub(crate) const FUNCTIONS: &[&str] = &["jwt", "base64", "credential_file", "key_file"];

/// Functions of CEL that people misspell.
pub(crate) const CEL_FUNCTIONS: &[&str] =
    &["size", "string", "int", "uint", "double", "bytes", "bool", "timestamp", "duration", "has", "type", "matches"];

/// What `project` has in CEL.
pub(crate) const PROJECT_IN_CEL: &[&str] = &["projectId", "projectNumber", "location", "agents"];

/// Words of CEL that name nothing else: literals, reserved words, types and macros.
pub(crate) const CEL: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "has",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "size",
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "type",
    "dyn",
    "null_type",
    "timestamp",
    "duration",
    "optional",
    "google",
    "matches",
    "it",
    "absent",
];

/// Whether a given id or a saved name may not be this word.
pub(crate) fn is_reserved(name: &str) -> bool {
    [RESULTS, ALWAYS, FUNCTIONS, CEL].iter().any(|words| words.contains(&name))
}

/// Defines an enum whose variants are words of the format.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in a file.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one of this word.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }
    };
}

words! {
    /// A call of our own.
    RigCall {
        /// Changes fields of an issuer: `name` is its given id.
        IssuersPatch = "rig.issuers.patch",
        /// Rotates keys: `of` is `google`, an e-mail or an issuer.
        KeysRotate = "rig.keys.rotate",
        /// Changes what answers behind a service: `name` is its given id or its resource name.
        ServicesPatch = "rig.services.patch",
    }
}

impl RigCall {
    /// The fields of its `with`; the first one is required.
    pub(crate) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::IssuersPatch => &["name", "issuer", "misbehaves", "alg", "flaw"],
            Self::KeysRotate => &["of"],
            Self::ServicesPatch => &["name", "workload"],
        }
    }
}

/// The known word that is nearest to what was written, if one is near enough to be meant.
#[must_use]
pub fn nearest<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Words of any length come in; comparing is quadratic in it.
    if written.chars().count() > 80 {
        return None;
    }
    let lower = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| {
            let longer = word.chars().count().max(written.chars().count());
            *distance <= 1.max(longer / 3) && *distance < word.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
