//! The `given` map: sections of ours, and resources of Google.

use tokenrig_jose::forge::Flaw;
use tokenrig_protos::{Collection, prost_reflect::Kind as FieldKind, table};

use crate::{
    aws,
    diagnostic::Diagnostic,
    fields, merge,
    model::{Given, GivenResource},
    people,
    reader::{Reader, did_you_mean, list_all},
    steps,
    template::{Key, Kind, Style, Template},
    things::Things,
    words::{self, COLLECTIONS, MISBEHAVIOURS, SECTIONS, Word},
    yaml::shorten,
};

/// How many resources, issuers and users may be given.
pub(crate) const MAX_GIVEN: usize = 10_000;

const UNKNOWN_FIELD: &str = "given::unknown-field";
pub(crate) const UNKNOWN_KEY: &str = "given::unknown-key";

/// Reads the documents of a given map: the map itself, then those that it includes.
pub(crate) fn read(reader: &mut Reader<'_>, documents: &[Template]) -> Given {
    let mut given = Given::default();
    let merged = if documents.len() > 1 { merge::merged(reader, documents) } else { None };
    if let Some(document) = merged.as_ref().or(documents.first()) {
        for (key, value) in reader.entries(document, "a given document").unwrap_or_default() {
            section(reader, &mut given, key, value);
        }
    }
    workload_issuers(reader, &given);
    people::known_clients(reader, &given);
    given.names = Things::of(&given).iter().map(|thing| thing.known.clone()).collect();
    given
}

fn section(reader: &mut Reader<'_>, given: &mut Given, key: &Key, value: &Template) {
    match &*key.text {
        "include" => {}
        "project" => {
            let (own, policy) = project(reader, value);
            given.project = Some(own);
            given.project_policy = policy;
        }
        "settings" => {
            settings(reader, value);
            given.settings = Some(value.clone());
        }
        "organization" => {
            let (own, policy) = organization(reader, value);
            given.organization = Some(own);
            given.organization_policy = policy;
        }
        "issuers" => issuers(reader, given, value),
        "users" => people::users(reader, given, value),
        "oauth2.clients" => people::clients(reader, given, value),
        "aws.accounts" => aws::accounts(reader, given, value),
        name => match COLLECTIONS.iter().find(|word| word.name == name) {
            Some(word) if word.played => match table().collection(name) {
                Some(collection) => resources(reader, given, collection, value),
                None => reader.not_played(key, &format!("`{name}`")),
            },
            Some(_) => reader.not_played(key, &format!("`{name}`")),
            None => unknown_section(reader, key),
        },
    }
}

fn unknown_section(reader: &mut Reader<'_>, key: &Key) {
    if SECTIONS.iter().any(|word| word.name == &*key.text) {
        return reader.not_played(key, &format!("`{}`", key.text));
    }
    let fault = Diagnostic::error(UNKNOWN_KEY, key.span, format!("`{}` cannot be given", shorten(&key.text)));
    // A collection inside of another one.
    if let Some((parent, inner)) = key.text.rsplit_once('.')
        && COLLECTIONS.iter().any(|word| word.name == parent)
    {
        return reader.push(fault.help(format!("write `{inner}` inside of a resource of `{parent}`")));
    }
    let words: Vec<&str> = SECTIONS.iter().chain(COLLECTIONS).map(|word| word.name).collect();
    // `serviceAccounts` for `iam.serviceAccounts`.
    let tail = words.iter().find(|word| word.rsplit_once('.').is_some_and(|(_, last)| last == &*key.text));
    let fault = match tail {
        Some(word) => fault.label(format!("did you mean `{word}`?")).patch(key.span, *word),
        None if matches!(&*key.text, "scenario" | "steps" | "given" | "cases") => {
            fault.help("this looks like a scenario; a given file is what a scenario holds under `given`")
        }
        None if matches!(&*key.text, "kind" | "apiVersion" | "lifecycleState" | "metadata" | "spec") => fault
            .help("this looks like a part of what gcloud prints: paste the whole of it into a file of its own, and include that"),
        None => did_you_mean(fault, key, &words).help(format!(
            "given are {}, and collections such as `iam.serviceAccounts`",
            list_all(SECTIONS.iter().filter(|word| word.played).map(|word| word.name))
        )),
    };
    reader.push(fault);
}

fn project(reader: &mut Reader<'_>, value: &Template) -> (Template, Option<Template>) {
    let mut own = Vec::new();
    let mut policy = None;
    for (key, value) in reader.entries(value, "`project`").unwrap_or_default() {
        if !reader.known(key, words::PROJECT, UNKNOWN_KEY, "`project`") {
            continue;
        }
        match &*key.text {
            "iamPolicy" => {
                check_policy(reader, value, None);
                policy = Some(value.clone());
                continue;
            }
            "agents" => {
                for (agent, roles) in reader.entries(value, "`agents`").unwrap_or_default() {
                    for role in reader.items(roles, &format!("the roles of `{}`", agent.text)).unwrap_or_default() {
                        reader.text(role, "a role");
                    }
                }
            }
            "projectNumber" => {
                if reader.text(value, "`projectNumber`") && value.text().is_some_and(|text| !is_number(text)) {
                    let fault = Diagnostic::error("given::project-number", value.span, "a project's number is digits");
                    reader.push(fault.help("write it in quotes, for example \"1071284184436\""));
                }
            }
            _ => {
                reader.text(value, &format!("`{}`", key.text));
            }
        }
        own.push((key.clone(), value.clone()));
    }
    (Template { kind: Kind::Map(own), span: value.span, style: Style::Plain }, policy)
}

fn organization(reader: &mut Reader<'_>, value: &Template) -> (Template, Option<Template>) {
    let mut own = Vec::new();
    let mut policy = None;
    for (key, value) in reader.entries(value, "`organization`").unwrap_or_default() {
        if !reader.known(key, words::ORGANIZATION, UNKNOWN_KEY, "`organization`") {
            continue;
        }
        if &*key.text == "iamPolicy" {
            check_policy(reader, value, None);
            policy = Some(value.clone());
            continue;
        }
        if reader.text(value, "`id`") && value.text().is_some_and(|text| !is_number(text)) {
            let fault = Diagnostic::error("given::project-number", value.span, "an organization's id is digits");
            reader.push(fault.help("write it in quotes, for example \"123456789012\""));
        }
        own.push((key.clone(), value.clone()));
    }
    if own.is_empty() {
        let fault = Diagnostic::error("given::id", value.span, "an organization needs its `id`");
        reader.push(fault.help("for example `organization: { id: \"123456789012\" }`"));
    }
    (Template { kind: Kind::Map(own), span: value.span, style: Style::Plain }, policy)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn issuers(reader: &mut Reader<'_>, given: &mut Given, value: &Template) {
    for (id, value) in reader.entries(value, "`issuers`").unwrap_or_default().iter().take(MAX_GIVEN) {
        for (key, value) in reader.entries(value, "an issuer").unwrap_or_default() {
            if !reader.known(key, words::ISSUER, UNKNOWN_KEY, "an issuer") {
                continue;
            }
            match &*key.text {
                "misbehaves" => {
                    if let Some(word) = reader.word(value, "`misbehaves`")
                        && !MISBEHAVIOURS.contains(&&*word.text)
                    {
                        let fault = format!("`{}` is no way to misbehave", shorten(&word.text));
                        let fault = Diagnostic::error("given::unknown-word", word.span, fault);
                        reader.push(did_you_mean(fault, &word, MISBEHAVIOURS));
                    }
                }
                "alg" => {
                    if let Some(word) = reader.word(value, "`alg`")
                        && !words::ALGORITHMS.contains(&&*word.text)
                    {
                        let fault = format!("`{}` is no algorithm of an issuer", shorten(&word.text));
                        let fault = Diagnostic::error("given::unknown-word", word.span, fault);
                        reader.push(did_you_mean(fault, &word, words::ALGORITHMS));
                    }
                }
                "flaw" => {
                    if let Some(word) = reader.word(value, "`flaw`")
                        && word.text.parse::<Flaw>().is_err()
                    {
                        let known: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
                        let fault = format!("`{}` is no flaw", shorten(&word.text));
                        let fault = Diagnostic::error("given::unknown-word", word.span, fault);
                        reader.push(did_you_mean(fault, &word, &known));
                    }
                }
                "upstream" => {
                    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
                    if reader.text(value, "`upstream`") && value.text().is_some_and(|text| !is_url(text)) {
                        let fault =
                            Diagnostic::error("given::upstream", value.span, "an upstream is a URL of this machine");
                        reader.push(fault.help("for example `http://127.0.0.1:8080/realms/corp`"));
                    }
                }
                _ => {
                    if reader.text(value, "`issuer`") && value.text().is_some_and(|text| !text.starts_with("https://"))
                    {
                        let fault = Diagnostic::error("given::issuer", value.span, "an issuer is an https URL");
                        reader.push(fault.help("leave `issuer` out to get an https host of its own"));
                    }
                }
            }
        }
        given.issuers.push((id.clone(), empty_for_null(value)));
    }
}

fn settings(reader: &mut Reader<'_>, value: &Template) {
    for (key, value) in reader.entries(value, "`settings`").unwrap_or_default() {
        // Settings of single services, `sts.keys_kept`, are known to the rig alone.
        if key.text.contains('.') || !reader.known(key, words::SETTINGS, UNKNOWN_KEY, "`settings`") {
            continue;
        }
        match &*key.text {
            "propagation" => {
                steps::duration(reader, value, "`propagation`", false);
            }
            "quotas" => {
                reader.entries(value, "`quotas`");
            }
            "disabledServices" => {
                for service in reader.items(value, "`disabledServices`").unwrap_or_default() {
                    reader.text(service, "a service");
                }
            }
            // A seed that is all digits is as good as any.
            _ => {
                if !matches!(value.kind, Kind::Int(_)) {
                    reader.text(value, "`seed`");
                }
            }
        }
    }
}

fn resources(reader: &mut Reader<'_>, given: &mut Given, collection: &'static Collection, value: &Template) {
    let what = format!("`{}`", collection.name);
    if value.hole().is_some() {
        let fault = Diagnostic::error("hole::not-here", value.span, format!("the ids of {what} are written out"));
        return reader.push(fault.help("a row can hold a whole resource: `caller: ${case.caller}`"));
    }
    for (id, value) in reader.entries(value, &what).unwrap_or_default() {
        resource(reader, given, collection, id, value, None);
    }
}

fn resource(
    reader: &mut Reader<'_>,
    given: &mut Given,
    collection: &'static Collection,
    id: &Key,
    value: &Template,
    parent: Option<usize>,
) {
    let what = a_resource_of(collection);
    if id.text.is_empty() {
        reader.push(Diagnostic::error("given::id", id.span, format!("{what} needs an id")));
    }
    if given.resources.len() >= MAX_GIVEN {
        let fault = format!("at most {MAX_GIVEN} resources are given");
        // Told once: all further ones stand at the same place.
        let last = given.resources.last().map_or(id.span, |last| last.id.span);
        return reader.push(Diagnostic::error("file::too-large", last, fault));
    }
    let Some(entries) = reader.entries(value, &what) else { return };
    let index = given.resources.len();
    let mut made = GivenResource {
        collection,
        id: id.clone(),
        parent,
        body: Template { kind: Kind::Null, span: value.span, style: Style::Plain },
        policy: None,
        location: None,
        workload: None,
        keys: Vec::new(),
        disabled: None,
        span: id.span.to(value.span),
    };
    let ours = words::ours(collection.name);
    let mut body = Vec::new();
    let mut inner: &[(Key, Template)] = &[];
    let mut inside = None;
    for (key, value) in entries {
        match &*key.text {
            "iamPolicy" if collection.set_iam_policy.is_some() => {
                check_policy(reader, value, Some(collection));
                made.policy = Some(value.clone());
            }
            "location" if has_location(collection) => {
                if reader.text(value, "`location`") {
                    made.location = Some(value.clone());
                }
            }
            "workload" if words::has(ours, "workload") => {
                check_workload(reader, value);
                made.workload = Some(value.clone());
            }
            "keys" if words::has(ours, "keys") => made.keys = account_keys(reader, value),
            "disabled" if words::has(ours, "disabled") => {
                fields::boolean(reader, value, "`disabled`");
                made.disabled = Some(value.clone());
            }
            key @ ("providers" | "tasks") if words::has(ours, key) => {
                if value.hole().is_some() {
                    let fault = format!("the ids of {key} are written out");
                    reader.push(Diagnostic::error("hole::not-here", value.span, fault));
                } else {
                    inner = reader.entries(value, &format!("`{key}`")).unwrap_or_default();
                    inside = words::inner(collection.name, key).and_then(|name| table().collection(name));
                }
            }
            "iamPolicy" | "location" | "workload" | "keys" | "providers" | "tasks"
                if collection.message.get_field_by_json_name(&key.text).is_none() =>
            {
                let fault = format!("{what} has no `{}`", key.text);
                reader.push(Diagnostic::error(UNKNOWN_FIELD, key.span, fault));
            }
            _ => body.push((key.clone(), value.clone())),
        }
    }
    made.body.kind = Kind::Map(body);
    check_body(reader, &made.body, collection, ours, &what);
    given.resources.push(made);
    if let Some(inside) = inside {
        for (id, value) in inner {
            resource(reader, given, inside, id, value, Some(index));
        }
    }
}

fn check_body(reader: &mut Reader<'_>, body: &Template, collection: &Collection, ours: &'static [Word], what: &str) {
    let before = reader.out.len();
    fields::check(reader, body, &collection.message, UNKNOWN_FIELD, what);
    // Words of ours are near, too: `workloads`, `provider`.
    for fault in reader.out.iter_mut().skip(before) {
        if fault.code != UNKNOWN_FIELD || fault.patch.is_some() {
            continue;
        }
        let span = fault.span();
        let Some((key, _)) = body.entries().and_then(|entries| entries.iter().find(|(key, _)| key.span == span)) else {
            continue;
        };
        let near = words::nearest(&key.text, words::names(ours).chain(["iamPolicy", "location"]));
        if let (Some(word), Some(label)) = (near, fault.labels.first_mut()) {
            label.text = format!("did you mean `{word}`?");
            fault.help = None;
        }
    }
}

fn check_policy(reader: &mut Reader<'_>, value: &Template, collection: Option<&Collection>) {
    let from_collection = collection
        .and_then(|collection| collection.set_iam_policy)
        .and_then(|method| method.input.get_field_by_name("policy"))
        .and_then(|field| match field.kind() {
            FieldKind::Message(message) => Some(message),
            _ => None,
        });
    let policy = from_collection.or_else(|| tokenrig_protos::pool().get_message_by_name("google.iam.v1.Policy"));
    if let Some(policy) = policy {
        fields::check(reader, value, &policy, UNKNOWN_FIELD, "a policy");
    }
}

pub(crate) fn check_workload(reader: &mut Reader<'_>, value: &Template) {
    let known = |name: &str| words::WORKLOADS.iter().find(|word| word.name == name);
    match &value.kind {
        Kind::Text(text) => {
            let key = Key { text: text.clone(), span: value.span };
            if text.starts_with("http://") || text.starts_with("https://") {
                if known("URL").is_none_or(|word| !word.played) {
                    reader.not_played(&key, "a URL as `workload`");
                }
            } else if &**text != "echo" {
                let fault = format!("`{}` is no workload", shorten(text));
                let fault = Diagnostic::error("given::unknown-word", value.span, fault);
                reader.push(
                    did_you_mean(fault, &key, &["echo"])
                        .help("a workload is `echo`, a URL, or a map such as `{ issuer: ID }`"),
                );
            }
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                let words: Vec<_> =
                    words::WORKLOADS.iter().filter(|word| !matches!(word.name, "echo" | "URL")).copied().collect();
                if reader.known(key, &words, UNKNOWN_KEY, "`workload`") {
                    let what = format!("`{}`", key.text);
                    match &*key.text {
                        "answers" => check_answers(reader, value),
                        "command" => _ = reader.items(value, &what),
                        _ => _ = reader.text(value, &what),
                    }
                }
            }
            if entries.len() != 1 {
                let fault = "`workload` has exactly one of `issuer`, `answers`, `command`, `image`";
                reader.push(Diagnostic::error("field::either-or", value.span, fault));
            }
        }
        Kind::Hole(_) | Kind::Mixed(_) | Kind::Null => {}
        _ => reader.push(Diagnostic::error(
            "file::wrong-type",
            value.span,
            format!("`workload` is text or a map, and this is {}", value.what()),
        )),
    }
}

/// What a workload answers, one after the other.
fn check_answers(reader: &mut Reader<'_>, value: &Template) {
    for answer in reader.items(value, "`answers`").unwrap_or_default() {
        match &answer.kind {
            Kind::Map(entries) => {
                for (key, _) in entries {
                    reader.known(key, words::ANSWER, UNKNOWN_KEY, "an answer");
                }
            }
            Kind::Text(text) if !words::ANSWER_WORDS.contains(&&**text) => {
                let key = Key { text: text.clone(), span: answer.span };
                let fault = format!("`{}` is no answer of a workload", shorten(text));
                let fault = Diagnostic::error("given::unknown-word", answer.span, fault);
                reader.push(
                    did_you_mean(fault, &key, words::ANSWER_WORDS)
                        .help("an answer is `hang`, `reset`, `endless`, or a map such as `{ status: 503 }`"),
                );
            }
            Kind::Text(_) | Kind::Hole(_) | Kind::Mixed(_) => {}
            _ => {
                let fault = format!("an answer is text or a map, and this is {}", answer.what());
                reader.push(Diagnostic::error("file::wrong-type", answer.span, fault));
            }
        }
    }
}

fn account_keys(reader: &mut Reader<'_>, value: &Template) -> Vec<(Key, Template)> {
    let mut keys = Vec::new();
    for (id, value) in reader.entries(value, "`keys`").unwrap_or_default() {
        for (key, value) in reader.entries(value, "a key of a service account").unwrap_or_default() {
            if !words::has(words::ACCOUNT_KEY, &key.text) {
                reader.unknown(key, words::names(words::ACCOUNT_KEY), UNKNOWN_FIELD, "a key of a service account");
            } else if &*key.text == "publicKeyData" {
                reader.text(value, "`publicKeyData`");
            }
        }
        keys.push((id.clone(), value.clone()));
    }
    keys
}

/// `workload: { issuer: ID }` names a given issuer.
fn workload_issuers(reader: &mut Reader<'_>, given: &Given) {
    let issuers: Vec<&str> = given.issuers.iter().map(|(id, _)| &*id.text).collect();
    for resource in &given.resources {
        let Some(issuer) = resource.workload.as_ref().and_then(|workload| workload.get("issuer")) else { continue };
        if let Some(text) = issuer.text()
            && !issuers.contains(&text)
        {
            let key = Key { text: text.into(), span: issuer.span };
            let fault = format!("`{}` is no given issuer", shorten(text));
            reader.push(did_you_mean(Diagnostic::error("given::unknown-issuer", issuer.span, fault), &key, &issuers));
        }
    }
}

/// "a service of `run.services`", for messages.
pub(crate) fn a_resource_of(collection: &Collection) -> String {
    match collection.name {
        "iam.workloadIdentityPools" => "a workload identity pool".to_owned(),
        "iam.workloadIdentityPools.providers" => "a workload identity pool provider".to_owned(),
        "iam.workforcePools" => "a workforce pool".to_owned(),
        "iam.workforcePools.providers" => "a workforce pool provider".to_owned(),
        "iam.serviceAccounts" => "a service account".to_owned(),
        "iam.roles" => "a role".to_owned(),
        "run.services" => "a Cloud Run service".to_owned(),
        "cloudfunctions.functions" => "a function".to_owned(),
        "cloudtasks.queues" => "a queue".to_owned(),
        "cloudtasks.queues.tasks" => "a task".to_owned(),
        name => format!("a resource of `{name}`"),
    }
}

/// Whether a resource can be in several places: pools and their like are always in `global`.
pub(crate) fn has_location(collection: &Collection) -> bool {
    !collection.name.starts_with("iam.")
        && collection.create.rules.first().is_some_and(|rule| rule.template.text().contains("/locations/"))
}

pub(crate) fn empty_for_null(value: &Template) -> Template {
    match value.kind {
        Kind::Null => Template { kind: Kind::Map(Vec::new()), ..value.clone() },
        _ => value.clone(),
    }
}
