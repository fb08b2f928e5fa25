//! The one table of known words, with what each means: the reader, the JSON Schema and the key reference are made of it. A
//! word whose service does not exist yet is known and says so: playing it means changing `not_yet` to `played` here.

mod steps;

pub(crate) use self::steps::{
    ANY_STEP, EXCHANGE, EXPECT, EXPECT_DECISION, EXPECT_TOKEN, RESULTS, VERBS, expect_keys, results, step_keys,
};

/// A word of the format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) played: bool,
    /// What it means, in sentences; empty where the name says it.
    pub(crate) about: &'static str,
    /// A value as it may stand in a file; may be empty.
    pub(crate) example: &'static str,
}

impl Word {
    const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

const fn played(name: &'static str) -> Word {
    Word { name, played: true, about: "", example: "" }
}

const fn not_yet(name: &'static str) -> Word {
    Word { played: false, ..played(name) }
}

/// Whether a word is among these.
pub(crate) fn has(words: &[Word], name: &str) -> bool {
    words.iter().any(|word| word.name == name)
}

/// Their names, those of what is not played among them.
pub(crate) fn names(words: &'static [Word]) -> impl Iterator<Item = &'static str> + Clone {
    words.iter().map(|word| word.name)
}

/// Keys of a scenario file.
pub(crate) const FILE: &[Word] = &[
    played("scenario").about("The title, a sentence that is true when the scenario passes. Required.").example("A private service lets nobody in without a token"),
    played("about").about("Markdown: what the scenario shows, and why."),
    played("tags").about("Words for `--filter tag:…`.").example("[federation, cloudrun]"),
    played("worlds").about("Where it may run; both if not said. `offline` is the rig, `live` is Google.").example("[offline]"),
    played("needs").about("What the world must have; elsewhere the scenario is skipped with the reason.").example("[python]"),
    played("now").about("The first instant of the offline clock (RFC 3339).").example("2026-03-02T08:58:00Z"),
    played("vars").about("Values by name, for `vars.NAME` in CEL; a later one may read those before it.").example("{ audience: \"https://orders.example.com\" }"),
    played("given").about("What is there before the first step: resources in the field names of Google's REST API, and a few sections of ours."),
    played("cases").about("Rows: each runs all the steps, with its own values for `${case.NAME}`, expectations included. Every row has a name, `case`."),
    played("steps").about("What is done, in order. Required."),
];

/// Worlds.
pub(crate) const WORLDS: &[Word] = &[
    played("offline").about("A rig of its own for every case."),
    played("live").about("A real Google Cloud project."),
];

/// What a scenario may need.
pub(crate) const NEEDS: &[Word] = &[
    played("echo").about("An echo behind Cloud Run services."),
    played("gcloud").about("The gcloud command."),
    played("python").about("Google's Python client, installed by `cargo xtask conformance python`."),
    played("node").about("Google's Node.js client, installed by `cargo xtask conformance node`."),
    played("go").about("Google's Go client, built by `cargo xtask conformance go`."),
    played("java").about("Google's Java client."),
    played("docker").about("A Docker engine."),
    played("saml").about("SAML providers."),
    played("netns").about("A network namespace of its own."),
];

/// Keys of `given` that are no collections of Google's.
pub(crate) const SECTIONS: &[Word] = &[
    played("include").about("Further given files of this folder, YAML or JSON, what gcloud prints among them.").example("[callers.given.yaml]"),
    played("project").about("The project. All of it has defaults.").example("{ projectId: shop-test, location: europe-west4 }"),
    played("issuers").about("OpenID providers of the rig's own, by id, each with an https host.").example("{ corp: {} }"),
    played("users").about("Google accounts, by e-mail address.").example("{ alice@shop.example: {} }"),
    played("oauth2.clients").about("OAuth clients, by an id of yours; gcloud's own is always known.").example("{ web: { clientId: 1-abc.apps.googleusercontent.com, clientSecret: s3cret } }"),
    played("settings").about("What the rig assumes where Google has not told, and its seed. Settings of single services are written `SERVICE.NAME`.").example("{ seed: 7d3f, sts.skew: 2m }"),
    played("organization").about("The organization that the project is in; the rig's owner administers it.").example("{ id: \"123456789012\" }"),
    not_yet("workspace").about("The domain of Google Workspace."),
    played("aws.accounts").about("AWS accounts by number, with the roles and users whose keys are known.").example("{ \"123456789012\": { region: us-east-1, roles: { ci: { accessKeyId: AKIAEXAMPLE, secretAccessKey: s3cret } } } }"),
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
    played("iam.workforcePools"),
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
pub(crate) fn ours(collection: &str) -> &'static [Word] {
    match collection {
        "iam.workforcePools" | "iam.workloadIdentityPools" => &[PROVIDERS_KEY],
        "iam.serviceAccounts" => &[KEYS, DISABLED],
        "cloudfunctions.functions" | "run.services" => &[WORKLOAD],
        "cloudtasks.queues" => &[TASKS],
        _ => &[],
    }
}

const PROVIDERS_KEY: Word = played("providers").about("The pool's providers, by id.");
const KEYS: Word = played("keys").about("Keys whose public half is uploaded, by key id.");
const DISABLED: Word = played("disabled").about("Whether it is disabled.").example("true");
const WORKLOAD: Word = played("workload").about("What answers behind it; an echo if not said.").example("echo");

/// The policy of whatever has one.
pub(crate) const IAM_POLICY: Word = played("iamPolicy")
    .about("Its policy, exactly this one; what `gcloud … get-iam-policy` prints may be pasted.")
    .example("{ bindings: [{ role: roles/run.invoker, members: [allUsers] }] }");

/// Where a resource is that can be in several places.
pub(crate) const LOCATION: Word =
    played("location").about("Where it is; the project's location if not said.").example("europe-west4");

const TASKS: Word = played("tasks").about("Tasks that are in the queue, by id.");

/// The collections of what is in a resource under a key of ours.
pub(crate) const INNER: &[&str] =
    &["iam.workforcePools.providers", "iam.workloadIdentityPools.providers", "cloudtasks.queues.tasks"];

/// The collection of what is in a resource of `collection` under a key of ours.
pub(crate) fn inner(collection: &str, key: &str) -> Option<&'static str> {
    INNER
        .iter()
        .copied()
        .find(|inner| inner.strip_prefix(collection).and_then(|rest| rest.strip_prefix('.')) == Some(key))
}

/// What may answer behind a service: words and keys of `workload`. A URL is a word of its own, `URL`.
pub(crate) const WORKLOADS: &[Word] = &[
    played("echo").about("Answers with what it received, as JSON: `method`, `path`, `headers`, `body`."),
    played("issuer").about("A given issuer: the service's URL is its issuer from then on.").example("corp"),
    played("answers")
        .about("Answers in their order; the last one repeats.")
        .example("[{ status: 503, times: 2 }, { status: 200 }]"),
    played("command").about("A server on this machine, started with `PORT`.").example("[python3, server.py]"),
    played("image").about("An image, run by a Docker engine.").example("example.com/orders"),
    played("URL").about("A server that is there already.").example("http://127.0.0.1:8080"),
];

/// Answers of a workload that are one word.
pub(crate) const ANSWER_WORDS: &[&str] = &["hang", "reset", "endless"];

/// Keys of one of a workload's `answers`.
pub(crate) const ANSWER: &[Word] = &[
    played("status").about("A number from 200 to 599; 200 if not said.").example("503"),
    played("headers").about("A map of names to texts.").example("{ retry-after: \"1\" }"),
    played("body").about("Text as it is, all else as JSON.").example("{ ok: true }"),
    played("delay").about("How long it takes, in real time.").example("250ms"),
    played("times").about("How often it is given before the next one is; once if not said.").example("2"),
];

/// Fields of a service account's key.
pub(crate) const ACCOUNT_KEY: &[Word] = &[
    played("publicKeyData").about("The public half: base64 of an X.509 certificate or key in PEM."),
    played("disabled").about("Whether it is disabled.").example("true"),
];

/// Keys of `project`.
pub(crate) const PROJECT: &[Word] = &[
    played("projectId").about("Its id.").example("shop-test"),
    played("projectNumber").about("Its number, in quotes.").example("\"1071284184436\""),
    played("location").about("The location of resources that do not say another.").example("europe-west4"),
    played("agents")
        .about("The roles of service agents, by service, in place of those that Google grants.")
        .example("{ pubsub: [] }"),
    played("iamPolicy")
        .about("Bindings that are added to the rig's own.")
        .example("{ bindings: [{ role: roles/viewer, members: [\"user:alice@shop.example\"] }] }"),
];

/// Keys of an issuer.
pub(crate) const ISSUER: &[Word] = &[
    played("issuer").about("Its URL; a host of its own if not said.").example("https://login.corp.example"),
    played("misbehaves").about("How it misbehaves, named for what its clients meet.").example("keys-unreachable"),
    played("alg").about("What it signs with.").example("ES256"),
    played("flaw").about("What is wrong with each token that it makes.").example("expired"),
    played("upstream")
        .about("A real provider on this machine that answers in its place.")
        .example("http://127.0.0.1:8080/realms/corp"),
];

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
pub(crate) const USER: &[Word] = &[played("refreshTokens")
    .about("Refresh tokens of this account, each beginning with `1//`.")
    .example("{ \"1//test\": { client: web, state: active } }")];

/// Keys of a refresh token.
pub(crate) const REFRESH_TOKEN: &[Word] = &[
    played("client")
        .about("The OAuth client that it was issued to: a given id, `gcloud`, or a whole client id.")
        .example("web"),
    played("state").about("What has become of it.").example("revoked"),
];

/// What has become of a refresh token.
pub const REFRESH_STATES: &[&str] = &["active", "revoked", "reauth-due"];

/// Keys of an AWS account.
pub(crate) const AWS_ACCOUNT: &[Word] = &[
    played("region").about("Where it is.").example("us-east-1"),
    played("roles").about("Roles by name; of a single one AWS's metadata address gives the keys."),
    played("users").about("Users by name."),
];

/// Keys of a role or user of an AWS account.
pub(crate) const AWS_PRINCIPAL: &[Word] = &[
    played("accessKeyId").about("The id of its key.").example("AKIAEXAMPLE"),
    played("secretAccessKey").about("The secret of its key."),
    played("sessionToken").about("The token of a role's session."),
    played("roleSessionName").about("The name of a role's session."),
];

/// Keys of an OAuth client.
pub(crate) const CLIENT: &[Word] = &[
    played("clientId").about("The client's id.").example("1-abc.apps.googleusercontent.com"),
    played("clientSecret").about("Its secret.").example("s3cret"),
];

/// The OAuth client that is known without being given.
pub(crate) const GCLOUD: &str = "gcloud";

/// Keys of `settings`.
pub(crate) const SETTINGS: &[Word] = &[
    played("seed").about("What keys, ids and tokens are made of: the same seed makes the same ones.").example("7d3f"),
    played("propagation").about("How long a change of a policy takes to be seen.").example("60s"),
    played("quotas").about("The most requests, by quota.").example("{ sts.googleapis.com/requests: 100 }"),
    played("disabledServices")
        .about("APIs that are not enabled in the project.")
        .example("[iamcredentials.googleapis.com]"),
];

/// What CEL always sees.
pub(crate) const ALWAYS: &[&str] = &["case", "vars", "project", "now", "given"];

/// The functions that the runner brings.
pub(crate) const FUNCTIONS: &[Word] = &[
    played("jwt").about("Opens a token without verifying it: `header` and `claims`.").example("jwt(subject_token).claims.sub"),
    played("base64").about("The base64 of a text.").example("base64('order 17')"),
    played("credential_file")
        .about("The path of a credential file of type `external_account`; with `impersonate` (an account), `source` and any member of the file. It ends with the case.")
        .example("credential_file(corp_oidc, subject_token, {'impersonate': caller})"),
    played("key_file").about("The path of a key file of a service account. It ends with the case.").example("key_file(caller)"),
];

/// Functions of CEL that people misspell.
pub(crate) const CEL_FUNCTIONS: &[&str] =
    &["size", "string", "int", "uint", "double", "bytes", "bool", "timestamp", "duration", "has", "type", "matches"];

/// What `project` has in CEL.
pub(crate) const PROJECT_IN_CEL: &[&str] = &["projectId", "projectNumber", "location", "organization", "agents"];

/// Keys of `organization`.
pub(crate) const ORGANIZATION: &[Word] = &[
    played("id").about("Its number. Required.").example("\"123456789012\""),
    IAM_POLICY.about("Added to its policy, by which the rig's owner administers it."),
];

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
    [RESULTS, ALWAYS, CEL].iter().any(|words| words.contains(&name)) || has(FUNCTIONS, name)
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
