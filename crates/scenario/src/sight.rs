//! What expressions see from where they stand, and what they name in vain.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokenrig_cel::Reference;

use crate::{
    diagnostic::Diagnostic,
    fields,
    model::{Case, Expect, Given, HttpBody, Step, Verb, Who},
    reader::{Reader, did_you_mean, list, list_all},
    source::Span,
    template::{Expr, Key, RowUse, Template},
    things::{Things, name_of},
    words::{self, VERBS},
};

/// How deep rows may refer to rows when their names are checked; circles are told elsewhere.
const MAX_ROW_DEPTH: usize = 16;
/// How many faults of a file are explained in full.
const MAX_EXPLAINED: usize = 300;

/// Everything that has a name in a scenario, whatever the row.
#[derive(Default)]
pub(crate) struct Names<'n> {
    pub(crate) things: Option<&'n Things>,
    pub(crate) vars: &'n [Key],
    /// What the steps save, and the first step that does.
    pub(crate) saves: HashMap<Arc<str>, (usize, Span)>,
    /// The keys of all rows; `None` if the file has no rows.
    pub(crate) row_keys: Option<Vec<&'n str>>,
    /// Whether this is a given file of its own, without rows and values.
    pub(crate) given_file: bool,
    /// Whether a part of `given` could not be read, so that names may be missing that people wrote.
    pub(crate) incomplete: bool,
}

/// Whether a fault takes names away that others refer to: those are not told as unknown, too.
pub(crate) fn takes_names(fault: &Diagnostic) -> bool {
    fault.code.starts_with("include::") || matches!(fault.code, "given::unknown-key" | "service::not-played")
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    /// `now`.
    Now,
    /// The value of the variable of this index.
    Var(usize),
    /// What stands before anything is created: `project`, `issuers`, `users`, `oauth2.clients`, `aws.accounts`, `settings`.
    Foundation,
    /// A resource or its policy.
    Given,
    /// What a step of this index sends.
    Input(usize),
    /// `save` of a step that does this verb.
    Save(usize, &'static str),
    /// `expect`; `it` where a value is looked at.
    Expect(usize, &'static str, bool),
}

impl Names<'_> {
    /// Checks all names of a step.
    pub(crate) fn step(&self, reader: &mut Reader<'_>, index: usize, step: &Step, row: Option<&Case>) {
        let verb = verb_of(&step.verb);
        for template in inputs(step) {
            self.template(reader, template, Spot::Input(index), row);
        }
        for (_, expr) in &step.save {
            self.expr(reader, expr, Spot::Save(index, verb), row, 0);
        }
        if let Some(expect) = &step.expect {
            for template in shapes(expect) {
                self.template(reader, template, Spot::Expect(index, verb, true), row);
            }
            if let Some(at) = expect.token.as_ref().and_then(|token| token.at.as_ref()) {
                self.template(reader, at, Spot::Expect(index, verb, false), row);
            }
            for expr in &expect.that {
                self.expr(reader, expr, Spot::Expect(index, verb, false), row, 0);
            }
        }
    }

    /// Checks all names of what is given.
    pub(crate) fn given(&self, reader: &mut Reader<'_>, given: &Given, row: Option<&Case>) {
        let sections = given.project.iter().chain(&given.organization).chain(&given.settings);
        let maps =
            given.issuers.iter().chain(&given.users).chain(&given.clients).chain(&given.aws).map(|(_, value)| value);
        for template in sections.chain(maps) {
            self.template(reader, template, Spot::Foundation, row);
        }
        for resource in &given.resources {
            let parts = [&resource.policy, &resource.location, &resource.workload, &resource.disabled];
            let keys = resource.keys.iter().map(|(_, key)| key);
            for template in [&resource.body].into_iter().chain(parts.into_iter().flatten()).chain(keys) {
                self.template(reader, template, Spot::Given, row);
            }
        }
        for policy in given.project_policy.iter().chain(&given.organization_policy) {
            self.template(reader, policy, Spot::Given, row);
        }
    }

    pub(crate) fn template(&self, reader: &mut Reader<'_>, template: &Template, spot: Spot, row: Option<&Case>) {
        let mut exprs: Vec<&Expr> = Vec::new();
        template.each_expr(&mut |expr| exprs.push(expr));
        for expr in exprs {
            self.expr(reader, expr, spot, row, 0);
        }
    }

    fn expr(&self, reader: &mut Reader<'_>, expr: &Expr, spot: Spot, row: Option<&Case>, depth: usize) {
        for reference in expr.program.references() {
            self.reference(reader, expr, reference, spot, row);
        }
        for (name, range) in expr.program.custom_functions() {
            let place = expr.place(range.clone());
            if !words::has(words::FUNCTIONS, name) {
                let written = Key { text: name.as_str().into(), span: place };
                let known: Vec<&str> =
                    words::names(words::FUNCTIONS).chain(words::CEL_FUNCTIONS.iter().copied()).collect();
                let fault = Diagnostic::error("cel::unknown-function", place, format!("there is no function `{name}`"));
                let mut fault = did_you_mean(fault, &written, &known);
                fault.patch = None;
                reader.push(fault.note(format!(
                    "beside CEL's own functions there are {}",
                    list_all(words::names(words::FUNCTIONS))
                )));
            } else if matches!(name.as_str(), "credential_file" | "key_file")
                && !matches!(spot, Spot::Input(_) | Spot::Save(..) | Spot::Expect(..))
            {
                let fault = format!("`{name}` makes a file, and that is for steps");
                reader.push(Diagnostic::error("cel::not-here", place, fault));
            }
        }
        let (RowUse::Keys(keys), Some(row)) = (&expr.row, row) else { return };
        if depth >= MAX_ROW_DEPTH {
            return;
        }
        for (_, value) in row.values.iter().filter(|(key, _)| keys.contains(&key.text)) {
            let mut exprs: Vec<&Expr> = Vec::new();
            value.each_expr(&mut |expr| exprs.push(expr));
            for expr in exprs {
                self.expr(reader, expr, spot, Some(row), depth + 1);
            }
        }
    }

    fn reference(&self, reader: &mut Reader<'_>, expr: &Expr, reference: &Reference, spot: Spot, row: Option<&Case>) {
        let Some(root) = reference.path.first() else { return };
        let place = expr.place(reference.range.clone());
        match root.as_str() {
            "it" => {
                if !matches!(spot, Spot::Expect(_, _, true)) {
                    let fault = Diagnostic::error(
                        "cel::it",
                        place,
                        "`it` is the value that an expected shape looks at, and here is none",
                    );
                    reader.push(fault.help("in `that` and `save` use `body`, `status`, …"));
                }
            }
            "case" => self.case(reader, reference, place, row),
            "vars" => self.var(reader, reference, place, spot),
            "now" => {
                if matches!(spot, Spot::Now) {
                    reader.push(Diagnostic::error("cel::not-here", place, "`now` is what is being said here"));
                }
            }
            "project" => {
                if matches!(spot, Spot::Now | Spot::Foundation) {
                    reader.push(Diagnostic::error(
                        "cel::not-here",
                        place,
                        "`project` is not known yet where this is needed",
                    ));
                }
                if let Some(field) = reference.path.get(1)
                    && !words::PROJECT_IN_CEL.contains(&field.as_str())
                {
                    let written = Key { text: field.as_str().into(), span: place };
                    let fault = Diagnostic::error("cel::unknown-field", place, format!("`project` has no `{field}`"));
                    let mut fault = did_you_mean(fault, &written, words::PROJECT_IN_CEL);
                    fault.patch = None;
                    reader.push(fault);
                }
            }
            "given" => self.in_given(reader, reference, place, spot),
            name if words::RESULTS.contains(&name) => result(reader, name, place, spot),
            name => self.name(reader, expr, reference, name, place, spot),
        }
    }

    fn case(&self, reader: &mut Reader<'_>, reference: &Reference, place: Span, row: Option<&Case>) {
        let Some(keys) = &self.row_keys else {
            let fault = Diagnostic::error("case::no-rows", place, "there are no rows here");
            return reader.push(match self.given_file {
                true => fault.help("a given file has no rows; a scenario that includes it has"),
                false => fault.help("rows are listed under `cases`: `- { case: NAME, … }`"),
            });
        };
        let Some(key) = reference.path.get(1) else { return };
        if !keys.contains(&key.as_str()) {
            let written = Key { text: key.as_str().into(), span: place };
            let fault = Diagnostic::error("case::unknown-value", place, format!("no row has `{key}`"));
            let mut fault = did_you_mean(fault, &written, keys);
            fault.patch = None;
            reader.push(fault);
        } else if let Some(row) = row
            && &**key != "case"
            && !row.values.iter().any(|(known, _)| *known.text == **key)
        {
            missing_value(reader, row, key, place);
        }
    }

    fn var(&self, reader: &mut Reader<'_>, reference: &Reference, place: Span, spot: Spot) {
        let Some(name) = reference.path.get(1) else { return };
        let at = self.vars.iter().position(|var| *var.text == **name);
        match (at, spot) {
            (Some(at), Spot::Var(own)) if at >= own => {
                let fault = Diagnostic::error("cel::not-here", place, format!("`vars.{name}` comes later"));
                reader.push(fault.help("a value reads only those above it"));
            }
            (Some(_), _) => {}
            (None, _) => {
                let known: Vec<&str> = self.vars.iter().map(|var| &*var.text).collect();
                let written = Key { text: name.as_str().into(), span: place };
                let fault = Diagnostic::error("cel::unknown-name", place, format!("`vars` has no `{name}`"));
                let mut fault = did_you_mean(fault, &written, &known);
                fault.patch = None;
                reader.push(fault);
            }
        }
    }

    fn in_given(&self, reader: &mut Reader<'_>, reference: &Reference, place: Span, spot: Spot) {
        if not_before_given(reader, "given", place, spot) {
            return;
        }
        let Some(things) = self.things else { return };
        let (Some(collection), Some(key)) = (reference.path.get(1), reference.path.get(2)) else {
            if spot == Spot::Given {
                let fault = Diagnostic::error("cel::not-here", place, "which resource this means must be written out");
                reader.push(
                    fault.help("`given['COLLECTION']['ID']`: otherwise nobody knows what has to be created first"),
                );
            }
            return;
        };
        if let Some(thing) = things.at(collection, key) {
            if let Some(message) = &thing.message {
                unknown_field(reader, message, reference.path.get(3..).unwrap_or_default(), key, place);
            }
            return;
        }
        let keys: Vec<&str> = things.of_collection(collection).map(|thing| thing.known.key.as_str()).collect();
        if self.incomplete {
            return;
        }
        let (wrong, known, what) = match keys.is_empty() {
            true => (
                collection,
                things.iter().map(|thing| thing.known.collection).collect::<HashSet<_>>().into_iter().collect(),
                "given".to_owned(),
            ),
            false => (key, keys, format!("given['{collection}']")),
        };
        let mut known: Vec<&str> = known;
        known.sort_unstable();
        let written = Key { text: wrong.as_str().into(), span: place };
        let fault = Diagnostic::error("cel::unknown-name", place, format!("`{what}` has no `{wrong}`"));
        let mut fault = did_you_mean(fault, &written, &known);
        fault.patch = None;
        reader.push(fault);
    }

    fn name(&self, reader: &mut Reader<'_>, expr: &Expr, reference: &Reference, name: &str, place: Span, spot: Spot) {
        let before = match spot {
            Spot::Input(index) => Some(index),
            Spot::Save(index, _) | Spot::Expect(index, _, _) => Some(index + 1),
            _ => None,
        };
        let saved = self.saves.get(name).copied();
        if let (Some(before), Some((step, _))) = (before, saved)
            && step < before
        {
            return;
        }
        if let Some(thing) = self.things.and_then(|things| things.named(name)) {
            if !not_before_given(reader, name, place, spot)
                && let Some(message) = &thing.message
            {
                unknown_field(reader, message, reference.path.get(1..).unwrap_or_default(), name, place);
            }
            return;
        }
        if self.incomplete && saved.is_none() {
            return;
        }
        let name_place = Span { end: (place.start + name.len()).min(place.end.max(place.start)), ..place };
        let fault = Diagnostic::error("cel::unknown-name", name_place, format!("nothing is called `{name}` here"));
        if let Some((_, place)) = saved {
            let fault = fault.also(place, "saved only here");
            return reader.push(fault.help("a step sees what the steps before it have saved"));
        }
        // Explaining takes time, and so many faults are not listed.
        if reader.out.len() > MAX_EXPLAINED {
            return reader.push(fault);
        }
        reader.push(self.explain_unknown(fault, expr, reference, name, before));
    }

    fn explain_unknown(
        &self,
        fault: Diagnostic,
        expr: &Expr,
        reference: &Reference,
        name: &str,
        before: Option<usize>,
    ) -> Diagnostic {
        for thing in self.things.iter().flat_map(|things| things.iter()) {
            let id = &*thing.id.text;
            // `corp-oidc.name` is a difference to CEL.
            let around =
                expr.text().match_indices(id).any(|(at, _)| (at..at + id.len()).contains(&reference.range.start));
            if id.contains('-') && around {
                // The whole of it is meant, and told once.
                let begins =
                    expr.text().match_indices(id).find(|(at, _)| (*at..at + id.len()).contains(&reference.range.start));
                let fault = match begins {
                    Some((at, _)) => {
                        let code = fault.code;
                        Diagnostic::error(
                            code,
                            expr.place(at..at + id.len()),
                            format!("nothing is called `{id}` in CEL"),
                        )
                    }
                    None => fault,
                };
                return match &thing.known.name {
                    Some(own) => fault.help(format!("to CEL, `{id}` is a difference: write `{own}`")),
                    None => fault.help(format!(
                        "to CEL, `{id}` is a difference: write `given['{}']['{}']`",
                        thing.known.collection, thing.known.key
                    )),
                };
            }
            if thing.known.name.is_none() && name_of(id) == name {
                return fault.help(format!(
                    "{}: write `given['{}']['{}']`",
                    thing.nameless, thing.known.collection, thing.known.key
                ));
            }
        }
        let saved = self.saves.iter().filter(|(_, (step, _))| before.is_some_and(|before| *step < before));
        let given = self.things.iter().flat_map(|things| things.iter()).filter_map(|thing| thing.known.name.as_deref());
        let mut known: Vec<&str> = saved.map(|(name, _)| &**name).chain(given).chain(["absent"]).collect();
        known.extend(words::ALWAYS);
        known.sort_unstable();
        match words::nearest(name, known.iter().copied()) {
            Some(word) => fault.label(format!("did you mean `{word}`?")),
            None if VERBS.iter().any(|verb| words::results(verb.name).contains(&name)) => fault,
            None => fault.help("known are ids of `given` (with `-` written `_`), names of `save` of earlier steps, `case`, `vars`, `project`, `now`"),
        }
    }
}

/// Says that a row lacks a value that is asked for.
pub(crate) fn missing_value(reader: &mut Reader<'_>, row: &Case, key: &str, asked: Span) {
    let span = row.name.as_ref().map_or(row.span, |name| name.span);
    let fault = Diagnostic::error("case::missing-value", span, format!("this row has no `{key}`"))
        .also(asked, "asked for here");
    let near = words::nearest(key, row.values.iter().map(|(known, _)| &*known.text));
    reader.push(match near {
        Some(word) => fault.help(format!("is `{word}` meant? Every row needs every value that is read")),
        None => fault
            .help(format!("every row needs every value that is read; `{key}: ${{absent}}` says that nothing is there")),
    });
}

fn not_before_given(reader: &mut Reader<'_>, name: &str, place: Span, spot: Spot) -> bool {
    let what = match spot {
        Spot::Now => "the clock is set",
        Spot::Var(_) => "values are known",
        Spot::Foundation => "project, issuers, users and settings are there",
        _ => return false,
    };
    let fault = Diagnostic::error("cel::not-here", place, format!("`{name}` is created only after {what}"));
    reader.push(fault.help("read it in resources and in steps"));
    true
}

fn result(reader: &mut Reader<'_>, name: &str, place: Span, spot: Spot) {
    let verbs = || {
        list(
            VERBS
                .iter()
                .filter(|verb| verb.played)
                .map(|verb| verb.name)
                .filter(|verb| words::results(verb).contains(&name)),
        )
    };
    match spot {
        Spot::Save(_, verb) | Spot::Expect(_, verb, _) => {
            if !words::results(verb).contains(&name) {
                let fault = Diagnostic::error("cel::not-here", place, format!("`{verb}` gives no `{name}`"));
                let own = words::results(verb);
                reader.push(match own {
                    [] => fault,
                    _ => fault.help(format!(
                        "after `{verb}` there is {}; `{name}` comes of {}",
                        list_all(own.iter().copied()),
                        verbs()
                    )),
                });
            }
        }
        _ => {
            let fault = Diagnostic::error(
                "cel::not-here",
                place,
                format!("`{name}` is known in `save` and `expect` of the step that it comes of"),
            );
            reader.push(fault.help(format!("save it there under a name: `save: {{ name: {name} }}`")));
        }
    }
}

fn unknown_field(
    reader: &mut Reader<'_>,
    message: &tokenrig_protos::prost_reflect::MessageDescriptor,
    path: &[String],
    of: &str,
    place: Span,
) {
    let Err((index, near)) = fields::follow(message, path) else { return };
    let Some(field) = path.get(index) else { return };
    let owner = match index {
        0 => of.to_owned(),
        _ => format!("{of}.{}", path.get(..index).unwrap_or_default().join(".")),
    };
    let fault = Diagnostic::error("cel::unknown-field", place, format!("`{owner}` has no field `{field}`"));
    reader.push(match near {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.help("it is the resource as Google returns it"),
    });
}

pub(crate) fn verb_of(verb: &Verb) -> &'static str {
    match verb {
        Verb::Mint(_) => "mint",
        Verb::Exchange { .. } => "exchange",
        Verb::Call { .. } | Verb::Rig { .. } => "call",
        Verb::Http { .. } => "http",
        Verb::Run { .. } => "run",
        Verb::Advance { .. } => "advance",
        Verb::Receive { .. } => "receive",
    }
}

/// All that a step sends.
fn inputs(step: &Step) -> Vec<&Template> {
    let mut all: Vec<&Template> = Vec::new();
    match &step.verb {
        Verb::Mint(mint) => {
            all.extend([&mint.claims, &mint.header, &mint.key, &mint.flaw, &mint.raw].into_iter().flatten());
        }
        Verb::Exchange { token, at, with } => all.extend([token].into_iter().chain(at).chain(with)),
        Verb::Call { with, .. } | Verb::Rig { with, .. } => all.extend(with),
        Verb::Http { method, target, headers, query, body } => {
            all.extend([method, target].into_iter().chain(headers).chain(query));
            match body {
                HttpBody::None => {}
                HttpBody::Json(value) | HttpBody::Form(value) | HttpBody::Text(value) | HttpBody::File(value) => {
                    all.push(value)
                }
            }
        }
        Verb::Run { words, env, dir, stdin } => all.extend(words.iter().chain(env).chain(dir).chain(stdin)),
        Verb::Advance { to } => all.push(to),
        Verb::Receive { within, .. } => all.extend(within),
    }
    if let Some(Who::Token(token)) = &step.who {
        all.push(token);
    }
    all.extend(&step.deadline);
    all
}

/// All shapes that are expected.
fn shapes(expect: &Expect) -> impl Iterator<Item = &Template> {
    let own = [
        &expect.status,
        &expect.headers,
        &expect.body,
        &expect.text,
        &expect.method,
        &expect.path,
        &expect.count,
        &expect.url,
        &expect.exit,
        &expect.stdout,
        &expect.stderr,
        &expect.refusal,
    ];
    let token = expect.token.iter().flat_map(|token| [&token.signer, &token.header, &token.claims, &token.lifetime]);
    let decision = expect
        .decision
        .iter()
        .flat_map(|decision| [&decision.failed, &decision.refusal, &decision.expected, &decision.found]);
    own.into_iter().chain(token).chain(decision).flatten()
}

/// All texts without holes in what a step sends and expects, except who signed a token.
pub(crate) fn texts_of(step: &Step) -> Vec<(Arc<str>, Span)> {
    fn collect(template: &Template, into: &mut Vec<(Arc<str>, Span)>) {
        match &template.kind {
            crate::template::Kind::Text(text) => into.push((text.clone(), template.span)),
            crate::template::Kind::List(items) => items.iter().for_each(|item| collect(item, into)),
            crate::template::Kind::Map(entries) => entries.iter().for_each(|(_, value)| collect(value, into)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    // Our own calls name things by their given ids.
    if !matches!(step.verb, Verb::Rig { .. } | Verb::Run { .. }) {
        inputs(step).into_iter().for_each(|template| collect(template, &mut texts));
    }
    if let Some(expect) = &step.expect {
        let signer = expect.token.as_ref().and_then(|token| token.signer.as_ref()).map(|signer| signer.span);
        shapes(expect).filter(|shape| Some(shape.span) != signer).for_each(|shape| collect(shape, &mut texts));
    }
    texts
}
