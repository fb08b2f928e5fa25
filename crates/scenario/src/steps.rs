//! One step: its verb, who calls, what is saved and expected.

use tokenrig_jose::forge::Flaw;
use tokenrig_protos::table;

use crate::{
    compile,
    diagnostic::Diagnostic,
    expect, fields,
    given::check_workload,
    model::{HttpBody, Mint, Over, Step, Verb, Who},
    moment::{self, Moment},
    reader::{Reader, did_you_mean, list},
    template::{Expr, Key, Kind, Piece, Style, Template},
    things::{Things, is_identifier, name_of},
    verbs,
    words::{self, VERBS},
    yaml::shorten,
};

/// What a step is read with.
pub(crate) struct StepContext<'c> {
    pub(crate) things: &'c Things,
    /// Whether the scenario runs live, too.
    pub(crate) live: bool,
    /// Whether a step deploys services, so that `receive` may name what is not given.
    pub(crate) deploys: bool,
    /// Whether a part of `given` could not be read: then what is not there is not told as unknown.
    pub(crate) incomplete: bool,
}

/// Reads a step. `None` if what it does is not to be understood.
pub(crate) fn read(reader: &mut Reader<'_>, context: &StepContext<'_>, template: &Template) -> Option<Step> {
    let entries = reader.entries(template, "a step")?;
    let verbs: Vec<&(Key, Template)> =
        entries.iter().filter(|(key, _)| VERBS.iter().any(|word| word.name == &*key.text)).collect();
    let (verb_key, object) = match verbs.as_slice() {
        [] => {
            no_verb(reader, template, entries);
            return None;
        }
        [(key, value)] => (key, value),
        [(first, _), (second, _), ..] => {
            let fault = format!("a step does one thing, and this one has `{}` and `{}`", first.text, second.text);
            let fault = Diagnostic::error("step::two-verbs", second.span, fault).also(first.span, "the other one");
            reader.push(fault.help("make two steps of it"));
            return None;
        }
    };
    let verb_name = &*verb_key.text;
    keys(reader, entries, verb_name);
    if VERBS.iter().any(|word| word.name == verb_name && !word.played) {
        reader.not_played(verb_key, &format!("`{verb_name}`"));
        return None;
    }
    let get = |name: &str| entries.iter().find(|(key, _)| &*key.text == name).map(|(_, value)| value);
    let title = get("step").and_then(|value| reader.word(value, "a step's title"));
    let verb = match verb_name {
        "mint" => mint(reader, context, object, &get),
        "exchange" => exchange(reader, object, &get),
        "call" => call(reader, context, object, &get),
        "http" => http(reader, object, &get),
        "run" => verbs::run(reader, object, &get),
        "advance" => advance(reader, object),
        _ => receive(reader, context, object, &get),
    };
    let who = get("as").and_then(|value| who(reader, context, value, verb_name, verb.as_ref()));
    let save = get("save").map(|value| save(reader, value)).unwrap_or_default();
    let expect = get("expect").map(|value| expect::read(reader, value, verb_name));
    let deadline = get("deadline").cloned();
    if let Some(deadline) = &deadline {
        duration(reader, deadline, "`deadline`", true);
    }
    let verb = verb?;
    Some(Step { title, verb, who, save, expect, deadline, verb_span: object.span, span: template.span })
}

fn no_verb(reader: &mut Reader<'_>, template: &Template, entries: &[(Key, Template)]) {
    let verbs: Vec<&str> = VERBS.iter().map(|word| word.name).collect();
    for (key, _) in entries {
        let is_known = words::has(words::ANY_STEP, &key.text)
            || verbs.iter().any(|verb| words::has(words::step_keys(verb), &key.text));
        if !is_known {
            let fault = Diagnostic::error(
                "step::unknown-key",
                key.span,
                format!("`{}` is not a key of a step", shorten(&key.text)),
            );
            let fault = did_you_mean(fault, key, &verbs);
            return reader.push(fault.help(format!("a step does one of {}", list(verbs.iter().copied()))));
        }
    }
    let span = entries.first().map_or(template.span, |(key, _)| key.span);
    reader.push(
        Diagnostic::error("step::no-verb", span, "this step does nothing")
            .help(format!("a step does one of {}", list(verbs.iter().copied()))),
    );
}

fn keys(reader: &mut Reader<'_>, entries: &[(Key, Template)], verb: &str) {
    let own = words::step_keys(verb);
    for (key, _) in entries {
        let name = &*key.text;
        if name == verb || words::has(words::ANY_STEP, name) || words::has(own, name) {
            continue;
        }
        let other: Vec<&str> =
            VERBS.iter().map(|word| word.name).filter(|verb| words::has(words::step_keys(verb), name)).collect();
        if other.is_empty() {
            let known = words::names(words::ANY_STEP).chain(words::names(own));
            reader.unknown(key, known, "step::unknown-key", &format!("a step that does `{verb}`"));
        } else {
            let fault = format!("`{name}` belongs to {}, and this step does `{verb}`", list(other));
            reader.push(Diagnostic::error("step::unknown-key", key.span, fault));
        }
    }
}

type Get<'g> = dyn Fn(&str) -> Option<&'g Template> + 'g;

fn mint<'g>(
    reader: &mut Reader<'_>,
    context: &StepContext<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let get: &Get<'g> = get;
    let issuer = reader.word(object, "`mint`")?;
    let issuers = context.things.of_collection("issuers").map(|thing| &*thing.id.text);
    let known: Vec<&str> = issuers.chain(context.things.principals()).collect();
    if !context.incomplete && !known.contains(&&*issuer.text) {
        let fault = Diagnostic::error(
            "step::unknown-issuer",
            issuer.span,
            format!("`{}` is no given issuer", shorten(&issuer.text)),
        )
        .note("who signs is an issuer, or a principal of AWS: `ACCOUNT/ROLE` of `aws.accounts`");
        let fault = match known.is_empty() {
            true => fault.help("issuers are given under `given`: `issuers: { corp: {} }`"),
            false => did_you_mean(fault, &issuer, &known),
        };
        reader.push(fault);
    }
    let raw = get("raw").cloned();
    if let Some(raw) = &raw {
        reader.text(raw, "`raw`");
        for name in ["claims", "header", "key", "flaw"] {
            if let Some(other) = get(name) {
                let fault = format!("`raw` is the whole token, so `{name}` changes nothing");
                reader.push(Diagnostic::error("mint::raw-alone", other.span, fault).also(raw.span, "the token"));
            }
        }
    }
    let claims = get("claims").cloned();
    let header = get("header").cloned();
    for (name, value) in [("claims", &claims), ("header", &header)] {
        if let Some(value) = value {
            a_map(reader, value, &format!("`{name}`"));
        }
    }
    let key = get("key").cloned();
    if let Some(key) = &key {
        reader.text(key, "`key`");
    }
    let flaw = get("flaw").cloned();
    if let Some(flaw) = &flaw
        && reader.text(flaw, "`flaw`")
        && let Some(text) = flaw.text()
    {
        let word = Key { text: text.into(), span: flaw.span };
        if text.parse::<Flaw>().is_err() {
            let known: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
            let fault =
                Diagnostic::error("mint::unknown-flaw", word.span, format!("`{}` is no flaw", shorten(&word.text)));
            reader.push(did_you_mean(fault, &word, &known));
        }
    }
    Some(Verb::Mint(Mint { issuer, claims, header, key, flaw, raw }))
}

fn exchange<'g>(
    reader: &mut Reader<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let get: &Get<'g> = get;
    if !reader.text(object, "`exchange`") {
        return None;
    }
    let at = get("at").cloned();
    let with = get("with").cloned();
    if let Some(at) = &at {
        reader.text(at, "`at`");
    }
    let mut audience = at.is_some();
    if let Some(with) = &with {
        audience |= with.hole().is_some();
        for (key, value) in a_map(reader, with, "`with`") {
            audience |= &*key.text == "audience";
            if words::EXCHANGE.contains(&&*key.text) {
                if matches!(value.kind, Kind::Map(_) | Kind::List(_)) {
                    reader.not_text(value, &format!("`{}`", key.text));
                }
            } else {
                let fault = format!("`{}` is not a field of `sts.token`", shorten(&key.text));
                let fault = Diagnostic::error("step::unknown-field", key.span, fault);
                // RFC 8693 spells `subject_token_type`, Google's REST reference `subjectTokenType`.
                let camel =
                    words::EXCHANGE.iter().find(|word| word.to_lowercase() == key.text.replace('_', "").to_lowercase());
                let fault = match camel {
                    Some(word) => fault.label(format!("written `{word}` here")).patch(key.span, *word),
                    None => did_you_mean(fault, key, words::EXCHANGE),
                };
                reader.push(fault);
            }
        }
    }
    if !audience {
        reader.push(
            Diagnostic::error("step::missing-key", object.span, "`exchange` needs `at`, the provider's name")
                .help("for example `at: ${corp_oidc.name}`"),
        );
    }
    Some(Verb::Exchange { token: object.clone(), at, with })
}

fn call<'g>(
    reader: &mut Reader<'_>,
    context: &StepContext<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let get: &Get<'g> = get;
    let name = reader.word(object, "`call`")?;
    let with = get("with").cloned();
    if let Some(call) = words::RigCall::of(&name.text) {
        return rig_call(reader, context, &name, call, with);
    }
    let Some(method) = table().by_short(&name.text) else {
        verbs::unknown_method(reader, &name);
        return None;
    };
    if let Some(with) = &with {
        fields::check_call(reader, with, method);
    }
    let over = match get("over") {
        None => Over::Rest,
        Some(value) => match reader.word(value, "`over`") {
            Some(word) if &*word.text == "rest" => Over::Rest,
            Some(word) if &*word.text == "grpc" => {
                if !method.grpc {
                    let fault = format!("Google has no gRPC form of `{}`", method.short);
                    reader.push(Diagnostic::error("step::no-grpc", word.span, fault));
                }
                Over::Grpc
            }
            Some(word) => {
                let fault =
                    Diagnostic::error("step::unknown-word", word.span, format!("`{}` is no wire", shorten(&word.text)));
                reader.push(did_you_mean(fault, &word, &["rest", "grpc"]));
                Over::Rest
            }
            None => Over::Rest,
        },
    };
    Some(Verb::Call { method, with, over })
}

fn rig_call(
    reader: &mut Reader<'_>,
    context: &StepContext<'_>,
    name: &Key,
    call: words::RigCall,
    with: Option<Template>,
) -> Option<Verb> {
    if context.live {
        reader.push(
            Diagnostic::error("step::offline-only", name.span, format!("`{}` exists offline only", name.text))
                .help("say `worlds: [offline]`"),
        );
    }
    let fields = call.fields();
    let entries = with.as_ref().map(|with| a_map(reader, with, "`with`").to_vec()).unwrap_or_default();
    for (key, value) in &entries {
        if !fields.contains(&&*key.text) {
            reader.unknown(key, fields.iter().copied(), "step::unknown-field", &format!("`{}`", name.text));
        } else if &*key.text == "workload" {
            check_workload(reader, value);
        } else if reader.text(value, &format!("`{}`", key.text)) && &*key.text == "of" {
            key_owner(reader, context, value);
        }
    }
    let needed = fields.first().copied().unwrap_or_default();
    let open = with.as_ref().is_some_and(|with| with.hole().is_some());
    if !open && !entries.iter().any(|(key, _)| &*key.text == needed) {
        let fault = format!("`{}` needs `with: {{ {needed}: … }}`", name.text);
        reader.push(Diagnostic::error("step::missing-key", name.span, fault));
    }
    Some(Verb::Rig { call, with })
}

/// Whose keys are rotated, where that is written out.
fn key_owner(reader: &mut Reader<'_>, context: &StepContext<'_>, value: &Template) {
    let issuers = context.things.of_collection("issuers").map(|thing| &*thing.id.text);
    let known: Vec<&str> = ["google"].into_iter().chain(issuers).collect();
    let Some(text) = value.text() else { return };
    if context.incomplete || known.contains(&text) || text.contains('@') || text.starts_with("https://") {
        return;
    }
    let fault = format!("`{}` has no keys that could be rotated", shorten(text));
    let fault = Diagnostic::error("step::unknown-key-owner", value.span, fault);
    let fault = did_you_mean(fault, &Key { text: text.into(), span: value.span }, &known);
    reader.push(fault.note("`of` is `google`, a given issuer, or a service account's e-mail: `${caller.email}`"));
}

fn http<'g>(
    reader: &mut Reader<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let get: &Get<'g> = get;
    let (method, target) = verbs::request_line(reader, object)?;
    let bodies: Vec<(&str, &Template)> =
        ["json", "form", "text", "file"].into_iter().filter_map(|name| Some((name, get(name)?))).collect();
    if let [(first, one), (second, other), ..] = bodies.as_slice() {
        let fault = format!("a request has one body, and this one has `{first}` and `{second}`");
        reader.push(Diagnostic::error("http::two-bodies", other.span, fault).also(one.span, "the other one"));
    }
    let body = match bodies.first() {
        None => HttpBody::None,
        Some(("json", value)) => HttpBody::Json((*value).clone()),
        Some(("form", value)) => {
            scalars(reader, value, "`form`");
            HttpBody::Form((*value).clone())
        }
        Some(("text", value)) => {
            if matches!(value.kind, Kind::Map(_) | Kind::List(_)) {
                reader.not_text(value, "`text`");
            }
            HttpBody::Text((*value).clone())
        }
        Some((_, value)) => {
            reader.text(value, "`file`");
            HttpBody::File((*value).clone())
        }
    };
    let headers = get("headers").cloned();
    let query = get("query").cloned();
    for (name, value) in [("headers", &headers), ("query", &query)] {
        if let Some(value) = value {
            scalars(reader, value, &format!("`{name}`"));
        }
    }
    Some(Verb::Http { method, target, headers, query, body })
}

fn advance(reader: &mut Reader<'_>, object: &Template) -> Option<Verb> {
    if matches!(object.kind, Kind::Int(_)) {
        duration(reader, object, "`advance`", false);
        return None;
    }
    if !reader.text(object, "`advance`") {
        return None;
    }
    if let Some(Err(what)) = object.text().map(Moment::parse) {
        reader.push(
            Diagnostic::error("file::duration", object.span, "this is neither a duration nor an instant").help(what),
        );
    }
    Some(Verb::Advance { to: object.clone() })
}

fn receive<'g>(
    reader: &mut Reader<'_>,
    context: &StepContext<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let get: &Get<'g> = get;
    let service = reader.word(object, "`receive`")?;
    let known: Vec<&str> = ["run.services", "cloudfunctions.functions"]
        .into_iter()
        .flat_map(|collection| context.things.of_collection(collection))
        .map(|thing| &*thing.id.text)
        .collect();
    if !known.contains(&&*service.text) && !context.deploys && !context.incomplete {
        let fault = Diagnostic::error(
            "step::unknown-service",
            service.span,
            format!("`{}` is no given service", shorten(&service.text)),
        );
        reader.push(did_you_mean(fault, &service, &known));
    }
    let within = get("within").cloned();
    if let Some(within) = &within {
        duration(reader, within, "`within`", false);
    }
    Some(Verb::Receive { service, within })
}

fn who(
    reader: &mut Reader<'_>,
    context: &StepContext<'_>,
    value: &Template,
    verb: &str,
    what: Option<&Verb>,
) -> Option<Who> {
    if !matches!(verb, "call" | "http" | "sign" | "exchange") {
        let fault = format!("`as` says who calls, and `{verb}` calls nobody");
        reader.push(Diagnostic::error("step::unknown-key", value.span, fault));
        return None;
    }
    let text = match &value.kind {
        Kind::Text(text) => text,
        Kind::Hole(_) | Kind::Mixed(_) => return Some(Who::Token(value.clone())),
        _ => {
            reader.not_text(value, "`as`");
            return None;
        }
    };
    let accounts: Vec<&str> =
        context.things.of_collection("iam.serviceAccounts").map(|thing| &*thing.id.text).collect();
    let word = Key { text: text.clone(), span: value.span };
    match &**text {
        "owner" => Some(Who::Owner),
        "nobody" => Some(Who::Nobody),
        name if accounts.contains(&name) => {
            if let Some(Verb::Http { target, .. }) = what
                && literal_host(target).is_some_and(|host| !host.ends_with(".googleapis.com"))
            {
                let fault = "an account's access token is for Google's APIs, and this goes elsewhere";
                reader.push(
                    Diagnostic::error("step::access-token-elsewhere", value.span, fault).also(target.span, "").help(
                        "let `iamcredentials.serviceAccounts.generateIdToken` make an ID token and call with that",
                    ),
                );
            }
            Some(Who::Account(word))
        }
        _ if context.incomplete => None,
        _ => {
            let known: Vec<&str> = ["owner", "nobody"].into_iter().chain(accounts).collect();
            let fault = Diagnostic::error(
                "step::unknown-caller",
                value.span,
                format!("`{}` is no given service account", shorten(text)),
            );
            reader.push(
                did_you_mean(fault, &word, &known)
                    .note("`as` is `owner`, `nobody`, a given service account, or a token: `${…}`"),
            );
            None
        }
    }
}

/// The host of a URL that is written out up to its first slash.
fn literal_host(target: &Template) -> Option<String> {
    let start = match &target.kind {
        Kind::Text(text) => text,
        Kind::Mixed(pieces) => match pieces.first()? {
            Piece::Text(text) => text,
            Piece::Hole(_) => return None,
        },
        _ => return None,
    };
    let (_, rest) = start.split_once("://")?;
    let whole = matches!(target.kind, Kind::Text(_));
    let (authority, _) = match rest.split_once(['/', '?', '#']) {
        Some(cut) => cut,
        None if whole => (rest, ""),
        None => return None,
    };
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(host.to_ascii_lowercase())
}

fn save(reader: &mut Reader<'_>, value: &Template) -> Vec<(Key, Expr)> {
    if value.hole().is_some() {
        reader.push(
            Diagnostic::error("hole::not-here", value.span, "the names of `save` are written out")
                .help("`save: { name: CEL }`; the CEL may read `case`"),
        );
        return Vec::new();
    }
    let mut saved = Vec::new();
    for (name, value) in reader.entries(value, "`save`").unwrap_or_default() {
        if !is_identifier(&name.text) {
            let fault = format!("`{}` cannot be the name of a value", shorten(&name.text));
            let fault = Diagnostic::error("save::name", name.span, fault)
                .help("names are letters, digits and `_`, so that CEL can read them");
            let mended = name_of(&name.text);
            reader.push(match is_identifier(&mended) {
                true => fault.label(format!("write `{mended}`")).patch(name.span, mended),
                false => fault,
            });
        } else if words::is_reserved(&name.text) {
            let fault = format!("`{}` already means something in CEL", name.text);
            reader.push(Diagnostic::error("save::shadows", name.span, fault).help("save it under another name"));
        }
        let Some(source) = reader.source(value.span) else { continue };
        if let Some(expr) = compile::bare(value, source, &mut reader.out) {
            saved.push((name.clone(), expr));
        }
    }
    saved
}

/// A map, or a hole that gives one.
pub(crate) fn a_map<'t>(reader: &mut Reader<'_>, value: &'t Template, what: &str) -> &'t [(Key, Template)] {
    match value.kind {
        Kind::Hole(_) => &[],
        _ => reader.entries(value, what).unwrap_or_default(),
    }
}

/// A map of names to scalars or lists of scalars.
fn scalars(reader: &mut Reader<'_>, value: &Template, what: &str) {
    for (key, value) in a_map(reader, value, what) {
        let items = value.items().unwrap_or(std::slice::from_ref(value));
        for item in items {
            if matches!(item.kind, Kind::Map(_) | Kind::List(_)) {
                reader.not_text(item, &format!("`{}`", shorten(&key.text)));
            }
        }
    }
}

pub(crate) fn duration(reader: &mut Reader<'_>, value: &Template, what: &str, none: bool) {
    if let Kind::Int(number) = value.kind {
        let fault = format!("{what} is a duration, and this is a number without a unit");
        let fault = Diagnostic::error("file::duration", value.span, fault);
        return reader
            .push(fault.help(format!("seconds are written `{number}s`")).patch(value.span, format!("{number}s")));
    }
    if !reader.text(value, what) {
        return;
    }
    let good = |text: &str| (none && text == "none") || moment::duration(text).is_some();
    if value.text().is_some_and(|text| !good(text)) {
        let fault = format!("{what} is a duration, and this is `{}`", shorten(value.text().unwrap_or_default()));
        reader.push(Diagnostic::error("file::duration", value.span, fault).help(match none {
            true => "a duration is written like `90s`, `9m59s`, `1d`; `none` is none at all",
            false => "a duration is written like `90s`, `9m59s`, `1d`",
        }));
    }
}

/// A template of a part of another one.
pub(crate) fn template_of(mut pieces: Vec<Piece>, whole: &Template) -> Template {
    let kind = match pieces.as_slice() {
        [] => Kind::Text("".into()),
        [Piece::Text(text)] => Kind::Text(text.clone()),
        [Piece::Hole(_)] => match pieces.remove(0) {
            Piece::Hole(hole) => Kind::Hole(Box::new(hole)),
            Piece::Text(text) => Kind::Text(text),
        },
        _ => Kind::Mixed(pieces),
    };
    Template { kind, span: whole.span, style: Style::Plain }
}
