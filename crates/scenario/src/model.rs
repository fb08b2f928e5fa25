//! What a scenario and a given document say, once all of it is known to be right.

use std::sync::Arc;

use tokenrig_protos::{Collection, Method};

use crate::{
    diagnostic::Diagnostic,
    rows::Rows,
    source::{Sources, Span},
    template::{Expr, Key, Template},
    words::RigCall,
};

/// A scenario file. What differs from case to case is asked of [`Scenario::play`].
#[derive(Debug)]
pub struct Scenario {
    /// A sentence that is true when the scenario passes.
    pub title: Key,
    /// Markdown.
    pub about: Option<String>,
    /// Words for `--filter`.
    pub tags: Vec<Key>,
    /// Where it may run; never empty.
    pub worlds: Vec<WorldName>,
    /// What the world must have: `echo`, `gcloud`, …
    pub needs: Vec<Key>,
    /// The offline clock's first instant: an RFC 3339 text, or a hole that gives one (it sees `case` and `vars`).
    pub now: Option<Template>,
    /// Values, in the order of the file; a later one may read those before it.
    pub vars: Vec<(Key, Template)>,
    /// The rows in the order of the file. A file without rows has one case without a name.
    pub cases: Vec<Case>,
    /// Whether `given` reads `case`, so that live its resources cannot be shared by the cases.
    pub given_mentions_case: bool,
    /// Whether a step runs a real client, which looks at its own clock.
    pub has_run_step: bool,
    /// The file and what it includes.
    pub sources: Sources,
    /// What deserves a look although the file is right.
    pub warnings: Vec<Diagnostic>,
    pub(crate) rows: Rows,
}

/// The two worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorldName {
    /// The rig.
    Offline,
    /// Google.
    Live,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name; `None` for the one case of a file without rows.
    pub name: Option<Key>,
    /// The row's values; they may have holes, which are evaluated where `${case.X}` stands.
    pub values: Vec<(Key, Template)>,
    /// Where it stands.
    pub span: Span,
}

/// What one case does: given and steps with the row's nodes put in their spots.
#[derive(Debug, Clone)]
pub struct Play {
    /// What is there before the first step.
    pub given: Arc<Given>,
    /// The steps.
    pub steps: Vec<Arc<Step>>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its title.
    pub title: Option<Key>,
    /// What it does.
    pub verb: Verb,
    /// Who calls; `None`: the verb's default (`owner` for `call`, `nobody` for `http`).
    pub who: Option<Who>,
    /// Names and what they shall mean from here on.
    pub save: Vec<(Key, Expr)>,
    /// What must come of it.
    pub expect: Option<Expect>,
    /// How much real time it may take: text such as `10s`, or a hole that gives one; see [`duration`](crate::duration).
    pub deadline: Option<Template>,
    /// The word after the verb's key, for example the line of a request; what a report underlines for the step.
    pub verb_span: Span,
    /// The whole step.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Verb {
    /// A token of a given issuer.
    Mint(Mint),
    /// The token exchange of Google's STS.
    Exchange {
        /// The subject token.
        token: Template,
        /// The provider's resource name.
        at: Option<Template>,
        /// Fields in REST spelling (`subjectTokenType`) that replace or add to the usual ones; `absent` takes one away.
        with: Option<Template>,
    },
    /// A Google method.
    Call {
        /// Which.
        method: &'static Method,
        /// The fields of its request in REST spelling, path parameters among them.
        with: Option<Template>,
        /// Which wire.
        over: Over,
    },
    /// One of our own calls, offline only.
    Rig {
        /// Which.
        call: RigCall,
        /// Its fields.
        with: Option<Template>,
    },
    /// Any request.
    Http {
        /// The verb.
        method: Template,
        /// The URL, to be sent byte for byte.
        target: Template,
        /// Names and values; a list repeats a header.
        headers: Option<Template>,
        /// Names and values; a list repeats a parameter.
        query: Option<Template>,
        /// The body.
        body: HttpBody,
    },
    /// A command.
    Run {
        /// Program and arguments.
        words: Vec<Template>,
        /// Variables beside those of the world.
        env: Option<Template>,
        /// Where it runs, relative to the scenario's folder.
        dir: Option<Template>,
        /// What it reads.
        stdin: Option<Template>,
    },
    /// Moves the clock.
    Advance {
        /// A duration or an instant, or a hole that gives one; see [`Moment`](crate::Moment).
        to: Template,
    },
    /// What reached a service since the last look.
    Receive {
        /// The service's given id.
        service: Key,
        /// How long to wait for it at most.
        within: Option<Template>,
    },
}

/// What `mint` makes.
#[derive(Debug, Clone)]
pub struct Mint {
    /// The given issuer's id.
    pub issuer: Key,
    /// A map; `iss`, `iat` and `exp` are filled in where it does not have them, `absent` takes one away.
    pub claims: Option<Template>,
    /// Members of the JOSE header.
    pub header: Option<Template>,
    /// Which of the issuer's keys: an algorithm or a key id.
    pub key: Option<Template>,
    /// What is wrong with it on purpose: the name of a [`Flaw`](crate::Flaw), or a hole that gives one or nothing.
    pub flaw: Option<Template>,
    /// Replaces the whole token; then nothing else is there.
    pub raw: Option<Template>,
}

/// The wire of a `call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Over {
    /// JSON over HTTP.
    #[default]
    Rest,
    /// gRPC.
    Grpc,
}

/// The body of an `http` step.
#[derive(Debug, Clone)]
pub enum HttpBody {
    /// None.
    None,
    /// A JSON value.
    Json(Template),
    /// Names and values, sent as `application/x-www-form-urlencoded`; a list repeats a field.
    Form(Template),
    /// Text.
    Text(Template),
    /// The bytes of a file, relative to the scenario's folder.
    File(Template),
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    /// The run's own credentials.
    Owner,
    /// Nobody: no credential is sent.
    Nobody,
    /// A given service account, by id.
    Account(Key),
    /// A token.
    Token(Template),
}

/// What must come of a step. Every template is an expected shape (a hole with `it` in it is a test).
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// The HTTP status; of `receive`: each request's.
    pub status: Option<Template>,
    /// Header names and values, names in any case.
    pub headers: Option<Template>,
    /// The JSON body.
    pub body: Option<Template>,
    /// The body as text.
    pub text: Option<Template>,
    /// Of `receive`: each request's verb.
    pub method: Option<Template>,
    /// Of `receive`: each request's path and query.
    pub path: Option<Template>,
    /// Of `receive`: how many requests.
    pub count: Option<Template>,
    /// Of `sign`: the URL.
    pub url: Option<Template>,
    /// Of `run`.
    pub exit: Option<Template>,
    /// Of `run`.
    pub stdout: Option<Template>,
    /// Of `run`.
    pub stderr: Option<Template>,
    /// The token in the answer, its signature verified.
    pub token: Option<ExpectToken>,
    /// The id of a catalogued refusal, whose wire form the answer must have.
    pub refusal: Option<Template>,
    /// The decision beside the answer; offline only.
    pub decision: Option<ExpectDecision>,
    /// CEL that must be true.
    pub that: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// What a token must be.
#[derive(Debug, Clone, Default)]
pub struct ExpectToken {
    /// `google`, an e-mail, a given issuer's id.
    pub signer: Option<Template>,
    /// The JOSE header.
    pub header: Option<Template>,
    /// The claims.
    pub claims: Option<Template>,
    /// `exp` less `iat`: `1h`, seconds, or a test.
    pub lifetime: Option<Template>,
    /// Where the token is, if not in the usual field: CEL.
    pub at: Option<Template>,
    /// Where it stands.
    pub span: Span,
}

/// What a decision must say.
#[derive(Debug, Clone, Default)]
pub struct ExpectDecision {
    /// The name of the first failed check; null or `${absent}`: none failed.
    pub failed: Option<Template>,
    /// The refusal's id.
    pub refusal: Option<Template>,
    /// What that check expected.
    pub expected: Option<Template>,
    /// What it found.
    pub found: Option<Template>,
    /// Where it stands.
    pub span: Span,
}

/// What is there before the first step: a `given` map with all that it includes.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `project` without its `iamPolicy`: a map.
    pub project: Option<Template>,
    /// The policy to be added to the project's own.
    pub project_policy: Option<Template>,
    /// `organization` without its `iamPolicy`: a map.
    pub organization: Option<Template>,
    /// The policy to be added to the organization's own.
    pub organization_policy: Option<Template>,
    /// Issuers by id; each a map of their fields.
    pub issuers: Vec<(Key, Template)>,
    /// Users by e-mail.
    pub users: Vec<(Key, Template)>,
    /// OAuth clients by id; each a map of its fields.
    pub clients: Vec<(Key, Template)>,
    /// AWS accounts by id; each a map of its region, roles and users.
    pub aws: Vec<(Key, Template)>,
    /// `settings`: a map.
    pub settings: Option<Template>,
    /// All resources of Google, a nested one after the one that it is in.
    pub resources: Vec<GivenResource>,
    /// The same by index, in an order in which each can be created: what a body refers to comes first. (Policies come
    /// after all creates and may refer to anything.)
    pub order: Vec<usize>,
    /// Everything that has an id, as CEL sees it: resources, issuers, users, OAuth clients, AWS accounts.
    pub names: Vec<GivenName>,
}

/// What an expression calls something given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenName {
    /// `issuers`, `users`, `oauth2.clients`, `aws.accounts`, or the resource's collection: the key of the first map in `given['run.services']['orders']`.
    pub collection: &'static str,
    /// The key of the second: the id; `PARENT/ID` where two parents hold the same id.
    pub key: String,
    /// Its own name: the id with `-` written `_`, where that is unique, an identifier and no reserved word.
    pub name: Option<String>,
    /// Which resource; `None` for issuers, users, OAuth clients and AWS accounts.
    pub resource: Option<usize>,
    /// Where the id stands.
    pub span: Span,
}

/// A resource of Google.
#[derive(Debug, Clone)]
pub struct GivenResource {
    /// Its collection, with the methods that make it.
    pub collection: &'static Collection,
    /// The id that the create call takes, or a whole e-mail for an account of another project or a default account.
    pub id: Key,
    /// The resource that it is in: an index of [`Given::resources`].
    pub parent: Option<usize>,
    /// A map of the collection's own fields.
    pub body: Template,
    /// `iamPolicy`.
    pub policy: Option<Template>,
    /// `location`, if not the project's.
    pub location: Option<Template>,
    /// What answers behind a service: text or a map.
    pub workload: Option<Template>,
    /// Keys of a service account, by key id.
    pub keys: Vec<(Key, Template)>,
    /// Whether an account is to be disabled after it was created. (Where `disabled` is a field of Google's, it is in
    /// the body.)
    pub disabled: Option<Template>,
    /// Where it stands.
    pub span: Span,
}
