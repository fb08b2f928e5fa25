//! What the verbs of steps have beyond plain keys: request lines, commands, names of methods.

use tokenrig_protos::table;

use crate::{
    command,
    diagnostic::Diagnostic,
    model::Verb,
    reader::{Reader, did_you_mean, list_all},
    steps::{a_map, template_of},
    template::{Key, Kind, Piece, Template},
    words,
    yaml::shorten,
};

const HTTP_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// `METHOD URL`, split at the first space before holes are filled.
pub(crate) fn request_line(reader: &mut Reader<'_>, object: &Template) -> Option<(Template, Template)> {
    let pieces = match &object.kind {
        Kind::Text(text) => vec![Piece::Text(text.clone())],
        Kind::Mixed(pieces) => pieces.clone(),
        Kind::Hole(_) if object.row_key().is_some() => return None,
        Kind::Hole(_) => {
            reader.push(
                Diagnostic::error("http::request-line", object.span, "`http` is a method, a space and a URL")
                    .help("for example `http: GET ${orders.uri}/hello`"),
            );
            return None;
        }
        _ => {
            reader.not_text(object, "`http`");
            return None;
        }
    };
    let mut method = Vec::new();
    let mut target = Vec::new();
    let mut found = false;
    for piece in pieces {
        match piece {
            _ if found => target.push(piece),
            Piece::Text(text) => match text.split_once(' ') {
                Some((before, after)) => {
                    found = true;
                    if !before.is_empty() {
                        method.push(Piece::Text(before.into()));
                    }
                    if !after.is_empty() {
                        target.push(Piece::Text(after.into()));
                    }
                }
                None => method.push(Piece::Text(text)),
            },
            Piece::Hole(_) => method.push(piece),
        }
    }
    if !found || method.is_empty() || target.is_empty() {
        let fault = Diagnostic::error("http::request-line", object.span, "`http` is a method, a space and a URL");
        reader.push(fault.help("for example `http: GET ${orders.uri}/hello`"));
        return None;
    }
    let method = template_of(method, object);
    let target = template_of(target, object);
    if let Some(word) = method.text() {
        let upper = word.to_ascii_uppercase();
        let token = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !token || (upper != word && HTTP_METHODS.contains(&upper.as_str())) {
            let fault = format!("`{}` is no HTTP method", shorten(word));
            let fault = Diagnostic::error("http::method", object.span, fault);
            let written = Key { text: word.into(), span: object.span };
            let mut fault = did_you_mean(fault, &written, HTTP_METHODS);
            fault.patch = None;
            reader.push(fault);
        }
    }
    let start = match &target.kind {
        Kind::Text(text) => Some(text),
        Kind::Mixed(pieces) => match pieces.first() {
            Some(Piece::Text(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    if let Some(start) = start {
        let lower = start.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            let fault = Diagnostic::error("http::target", object.span, "the target of `http` is a whole URL");
            reader.push(fault.help(match start.starts_with(['$', '{']) {
                true => "a hole is written `${…}`, for example `${orders.uri}`",
                false => "start with `https://`, or with a hole such as `${orders.uri}`",
            }));
        }
    }
    Some((method, target))
}

pub(crate) fn run<'g>(
    reader: &mut Reader<'_>,
    object: &Template,
    get: &(impl Fn(&str) -> Option<&'g Template> + 'g),
) -> Option<Verb> {
    let words = command::words(reader, object)?;
    let env = get("env").cloned();
    if let Some(env) = &env {
        for (key, value) in a_map(reader, env, "`env`") {
            if key.text.is_empty() || key.text.contains(['=', '\0']) {
                let fault = format!("`{}` cannot be the name of a variable", shorten(&key.text));
                reader.push(Diagnostic::error("run::variable", key.span, fault));
            }
            if matches!(value.kind, Kind::Map(_) | Kind::List(_)) {
                reader.not_text(value, &format!("`{}`", shorten(&key.text)));
            }
        }
    }
    let dir = get("dir").cloned();
    let stdin = get("stdin").cloned();
    for (name, value) in [("dir", &dir), ("stdin", &stdin)] {
        if let Some(value) = value {
            reader.text(value, &format!("`{name}`"));
        }
    }
    Some(Verb::Run { words, env, dir, stdin })
}

/// A `call` of something that is not in the table.
pub(crate) fn unknown_method(reader: &mut Reader<'_>, name: &Key) {
    let table = table();
    let fault = Diagnostic::error(
        "step::unknown-method",
        name.span,
        format!("`{}` is no method of Google's that is known here", shorten(&name.text)),
    );
    if let Some(method) = table.by_id(&name.text) {
        return reader.push(fault.label(format!("written `{}` here", method.short)).patch(name.span, method.short));
    }
    if &*name.text == "sts.token" {
        return reader.push(fault.help("`exchange: TOKEN` with `at: PROVIDER` is this call"));
    }
    let api = name.text.split('.').next().unwrap_or_default();
    if words::APIS_TO_COME.contains(&api)
        && !table.methods().iter().any(|method| method.short.split('.').next() == Some(api))
    {
        return reader.not_played(name, &format!("the API of `{}`", name.text));
    }
    if name.text.starts_with("rig.") {
        let known: Vec<&str> = words::RigCall::ALL.iter().map(|call| call.word()).collect();
        return reader.push(did_you_mean(fault, name, &known));
    }
    let collection = name.text.rsplit_once('.').map_or("", |(collection, _)| collection);
    let siblings: Vec<&str> = table
        .methods()
        .iter()
        .filter_map(|method| method.short.rsplit_once('.'))
        .filter(|(other, _)| *other == collection)
        .map(|(_, last)| last)
        .collect();
    let all: Vec<&str> = table.methods().iter().map(|method| method.short).collect();
    let fault = did_you_mean(fault, name, &all);
    reader.push(match siblings.is_empty() {
        true => fault.note("a call is written `api.collection.method`, without `projects.` and `locations.`"),
        false => fault.help(format!("`{collection}` has {}", list_all(siblings))),
    });
}
