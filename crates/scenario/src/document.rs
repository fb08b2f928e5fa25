//! A scenario file as a whole.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    compile,
    diagnostic::Diagnostic,
    given,
    include::Includer,
    lint,
    load::Loader,
    model::{Case, Scenario, WorldName},
    moment, order,
    reader::{Reader, did_you_mean},
    rows::{Part, Rows, has_spots, keys_read, reads_row},
    sight::{Names, Spot, takes_names},
    source::{SourceId, Sources, Span},
    steps::{self, StepContext},
    template::{Key, Kind, Template},
    things::Things,
    words::{self, Word},
    yaml::{self, NodeKind, shorten},
};

/// How many steps a scenario may have.
const MAX_STEPS: usize = 5_000;
/// How many steps all rows may make together, those counted that read the row.
const MAX_PLAYED: usize = 1_000_000;
/// How many values a row may have.
const MAX_ROW: usize = 1_000;

/// What the first look at a file finds.
#[derive(Default)]
struct Parts {
    title: Option<Key>,
    about: Option<String>,
    tags: Vec<Key>,
    worlds: Vec<WorldName>,
    needs: Vec<Key>,
    now: Option<Template>,
    vars: Vec<(Key, Template)>,
    given: Option<Template>,
    cases: Option<Vec<Case>>,
    steps: Vec<Template>,
}

/// Reads a scenario. What is wrong goes to `out`; `None` if too little is right.
pub(crate) fn scenario(
    id: SourceId,
    sources: &mut Sources,
    loader: &dyn Loader,
    out: &mut Vec<Diagnostic>,
) -> Option<Scenario> {
    let source = sources.get(id)?.clone();
    let root = match yaml::parse(&source, id, out) {
        Some(root) => root,
        None => {
            if out.is_empty() {
                let fault = Diagnostic::error("file::empty", Span::new(id, 0, 0), "the file is empty");
                out.push(fault.help("a scenario has at least `scenario`, its title, and `steps`"));
            }
            return None;
        }
    };
    let (span, root) = (root.span, root.kind);
    let NodeKind::Map(entries) = root else {
        let fault = Diagnostic::error("file::wrong-type", span, "a scenario is a map: `scenario: TITLE`, `steps: […]`");
        out.push(fault);
        return None;
    };
    let mut reader = Reader::new(sources);
    let mut parts = Parts::default();
    let mut found: Vec<String> = Vec::new();
    for (key, node) in entries {
        found.push(key.text.to_string());
        // Markdown may hold anything.
        if &*key.text == "about" {
            match node.kind {
                NodeKind::Text(text) => parts.about = Some(text.to_string()),
                NodeKind::Null => {}
                _ => reader.push(Diagnostic::error("file::wrong-type", node.span, "`about` is text").help("quote it")),
            }
            continue;
        }
        let value = compile::template(node, &source, &mut reader.out);
        if reader.known(&key, words::FILE, "file::unknown-key", "a scenario") {
            parts.take(&mut reader, &key, value);
        }
    }
    for needed in ["scenario", "steps"] {
        if !found.iter().any(|key| key == needed) {
            let place = Span::new(id, 0, source.text.lines().next().map_or(0, str::len));
            let fault = Diagnostic::error("file::missing-key", place, format!("`{needed}` is missing"));
            reader.push(match found.iter().any(|key| key.contains('.') || key == "issuers") {
                true => fault.help("this looks like a given file: a scenario has its resources under `given`"),
                false => fault.help("a scenario has at least `scenario`, its title, and `steps`"),
            });
        }
    }
    if parts.worlds.is_empty() {
        parts.worlds = vec![WorldName::Offline, WorldName::Live];
    }
    let first_faults = std::mem::take(&mut reader.out);
    out.extend(first_faults);
    let documents = documents(&mut parts, &source.name, sources, loader, out);
    let mut reader = Reader::new(sources);
    let incomplete = out.iter().any(takes_names);
    let scenario = assemble(&mut reader, parts, documents, span, incomplete);
    out.append(&mut reader.out);
    Some(scenario)
}

impl Parts {
    fn take(&mut self, reader: &mut Reader<'_>, key: &Key, value: Template) {
        match &*key.text {
            "scenario" => self.title = reader.word(&value, "`scenario`, the title,"),
            "tags" => self.tags = word_list(reader, &value, "`tags`"),
            "worlds" => {
                for word in known_words(reader, &value, "`worlds`", words::WORLDS) {
                    let world = if &*word.text == "offline" { WorldName::Offline } else { WorldName::Live };
                    if !self.worlds.contains(&world) {
                        self.worlds.push(world);
                    }
                }
            }
            "needs" => self.needs = known_words(reader, &value, "`needs`", words::NEEDS),
            "now" => {
                if reader.text(&value, "`now`") {
                    if value.text().is_some_and(|text| moment::instant(text).is_none()) {
                        let fault = Diagnostic::error("file::instant", value.span, "`now` is an instant of RFC 3339");
                        reader.push(fault.help("for example `2026-03-02T08:58:00Z`"));
                    }
                    self.now = Some(value);
                }
            }
            "vars" => self.vars = reader.entries(&value, "`vars`").unwrap_or_default().to_vec(),
            "given" => self.given = Some(value),
            "cases" => self.cases = cases(reader, &value),
            _ => {
                self.steps = reader.items(&value, "`steps`").unwrap_or_default().to_vec();
                if let Some(over) = self.steps.get(MAX_STEPS) {
                    let fault = format!("a scenario has at most {MAX_STEPS} steps");
                    reader.push(
                        Diagnostic::error("file::too-large", over.span, fault).help("split it into several files"),
                    );
                    self.steps.truncate(MAX_STEPS);
                }
                if self.steps.is_empty() && matches!(value.kind, Kind::List(_)) {
                    reader.push(Diagnostic::error(
                        "file::empty",
                        value.span,
                        "`steps` is empty: nothing would be proved",
                    ));
                }
            }
        }
    }
}

fn word_list(reader: &mut Reader<'_>, value: &Template, what: &str) -> Vec<Key> {
    let items = reader.items(value, what).unwrap_or_default();
    items.iter().filter_map(|item| reader.word(item, &format!("an item of {what}"))).collect()
}

fn known_words(reader: &mut Reader<'_>, value: &Template, what: &str, known: &[Word]) -> Vec<Key> {
    let mut words = word_list(reader, value, what);
    words.retain(|word| {
        let good = known.iter().any(|known| known.name == &*word.text);
        if !good {
            let names: Vec<&str> = known.iter().map(|word| word.name).collect();
            let fault = format!("{what} knows no `{}`", shorten(&word.text));
            reader.push(did_you_mean(Diagnostic::error("file::unknown-word", word.span, fault), word, &names));
        }
        good
    });
    words
}

fn cases(reader: &mut Reader<'_>, value: &Template) -> Option<Vec<Case>> {
    let items = reader.items(value, "`cases`")?;
    if items.is_empty() {
        let fault = Diagnostic::error("file::empty", value.span, "`cases` is empty: nothing would run");
        reader.push(fault.help("leave `cases` out for a scenario without rows"));
    }
    let mut cases = Vec::new();
    let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
    for item in items {
        let Some(entries) = reader.entries(item, "a row") else { continue };
        if let Some((over, _)) = entries.get(MAX_ROW) {
            reader.push(Diagnostic::error("file::too-large", over.span, format!("a row has at most {MAX_ROW} values")));
            continue;
        }
        let mut values = entries.to_vec();
        let name = values.iter().position(|(key, _)| &*key.text == "case").map(|at| values.remove(at));
        let name = match name {
            Some((_, value)) => reader.word(&value, "the name of a row"),
            None => {
                let fault = Diagnostic::error("case::no-name", item.span, "this row has no name");
                reader.push(fault.help("name it for what is different: `- case: another service's URL`"));
                None
            }
        };
        if let Some(name) = &name
            && let Some(first) = seen.insert(name.text.clone(), name.span)
        {
            let fault = Diagnostic::error(
                "case::same-name",
                name.span,
                format!("another row is called `{}` too", shorten(&name.text)),
            );
            reader.push(fault.also(first, "first here").help("reports tell rows apart by their names"));
        }
        cases.push(Case { name, values, span: item.span });
    }
    Some(cases)
}

/// The given map and all that it includes.
fn documents(
    parts: &mut Parts,
    name: &str,
    sources: &mut Sources,
    loader: &dyn Loader,
    out: &mut Vec<Diagnostic>,
) -> Vec<Template> {
    let Some(given) = parts.given.take() else { return Vec::new() };
    let mut includer = Includer::new(loader, name);
    let own = name.rsplit('/').next().unwrap_or(name).to_owned();
    includer.follow(&given, &mut vec![own], sources, out);
    includer.finish(given, out)
}

fn assemble(
    reader: &mut Reader<'_>,
    parts: Parts,
    documents: Vec<Template>,
    whole: Span,
    incomplete: bool,
) -> Scenario {
    let live = parts.worlds.contains(&WorldName::Live);
    let mut given = given::read(reader, &documents);
    let things = Things::of(&given);
    if live {
        lint::long_ids(reader, &things);
    }
    let deploys =
        parts.steps.iter().any(|step| step.get("call").and_then(Template::text) == Some("run.services.create"));
    let incomplete = incomplete || reader.out.iter().any(takes_names);
    let has_rows = parts.cases.is_some();
    let given_mentions_case = documents.iter().any(reads_row);
    let given_part = if has_rows && given_mentions_case {
        Part::PerRow(documents)
    } else {
        order::arrange(reader, &mut given, &things, None);
        Part::Fixed(Some(Arc::new(given)))
    };
    let mut rows = Rows { given: given_part, steps: Vec::new(), things, live, deploys, incomplete };
    let context = StepContext { things: &rows.things, live, deploys, incomplete };
    let steps: Vec<Part<_, Template>> = parts
        .steps
        .iter()
        .map(|step| match has_rows && has_spots(step) {
            true => Part::PerRow(step.clone()),
            false => Part::Fixed(steps::read(reader, &context, step).map(Arc::new)),
        })
        .collect();
    rows.steps = steps;
    let saves = saves(reader, &parts.steps, &rows.things);
    let vars: Vec<Key> = parts.vars.iter().map(|(name, _)| name.clone()).collect();
    let cases = parts.cases.unwrap_or_default();
    let mut row_keys: Vec<&str> = vec!["case"];
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (key, _) in cases.iter().flat_map(|case| &case.values) {
        if known.insert(&key.text) {
            row_keys.push(&key.text);
        }
    }
    let names = Names {
        things: Some(&rows.things),
        vars: &vars,
        saves,
        row_keys: has_rows.then_some(row_keys),
        given_file: false,
        incomplete,
    };
    check_names(reader, &parts.now, &parts.vars, &parts.steps, &rows, &names, &cases);
    if has_rows {
        unused_values(reader, &parts.now, &parts.vars, &parts.steps, &rows, &cases);
    }
    if live {
        lint::literal_ids(reader, &rows, &cases);
    }
    let has_run_step = parts.steps.iter().any(|step| step.get("run").is_some());
    let cases = if has_rows { cases } else { vec![Case { name: None, values: Vec::new(), span: whole }] };
    Scenario {
        title: parts.title.unwrap_or_else(|| Key { text: Arc::from(""), span: whole }),
        about: parts.about,
        tags: parts.tags,
        worlds: parts.worlds,
        needs: parts.needs,
        now: parts.now,
        vars: parts.vars,
        cases,
        given_mentions_case,
        has_run_step,
        sources: Sources::new(),
        warnings: Vec::new(),
        rows,
    }
}

/// What the steps save, and the first step that does; also says what shadows something.
fn saves(reader: &mut Reader<'_>, steps: &[Template], things: &Things) -> HashMap<Arc<str>, (usize, Span)> {
    let mut saves: HashMap<Arc<str>, (usize, Span)> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        for (name, _) in step.get("save").and_then(Template::entries).unwrap_or_default() {
            let thing = things.named(&name.text).map(|thing| thing.id.span);
            let before = saves.get(&name.text).map(|(_, span)| *span);
            if let Some(other) = thing.or(before) {
                let fault = format!("`{}` already means something", shorten(&name.text));
                let fault = Diagnostic::error("save::shadows", name.span, fault).also(other, "this");
                reader.push(fault.help("save it under a name of its own"));
            }
            saves.entry(name.text.clone()).or_insert((index, name.span));
        }
    }
    saves
}

fn check_names(
    reader: &mut Reader<'_>,
    now: &Option<Template>,
    vars: &[(Key, Template)],
    steps: &[Template],
    rows: &Rows,
    names: &Names<'_>,
    cases: &[Case],
) {
    let reading: Vec<bool> = steps.iter().map(reads_row).collect();
    let before = vars.iter().any(|(_, value)| reads_row(value)) || now.as_ref().is_some_and(reads_row);
    let ahead = |reader: &mut Reader<'_>, row: Option<&Case>| {
        if let Some(now) = now {
            names.template(reader, now, Spot::Now, row);
        }
        for (index, (_, value)) in vars.iter().enumerate() {
            names.template(reader, value, Spot::Var(index), row);
        }
    };
    ahead(reader, None);
    // What no row changes is looked at once.
    if let Part::Fixed(Some(given)) = &rows.given {
        names.given(reader, given, None);
    }
    for (index, (part, reads)) in rows.steps.iter().zip(&reading).enumerate() {
        if let Part::Fixed(Some(step)) = part
            && (!reads || names.row_keys.is_none())
        {
            names.step(reader, index, step, None);
        }
    }
    let played = reading.iter().filter(|reads| **reads).count().saturating_mul(cases.len());
    if let Some(last) = cases.last().filter(|_| played > MAX_PLAYED) {
        let fault = format!("all rows together make more than {MAX_PLAYED} steps");
        return reader
            .push(Diagnostic::error("file::too-large", last.span, fault).help("split the rows over several files"));
    }
    for row in cases {
        if before {
            ahead(reader, Some(row));
        }
        rows.check(reader, names, row, &reading);
    }
}

/// Values of rows that nothing reads: misspelt, as a rule.
fn unused_values(
    reader: &mut Reader<'_>,
    now: &Option<Template>,
    vars: &[(Key, Template)],
    steps: &[Template],
    rows: &Rows,
    cases: &[Case],
) {
    let mut read: BTreeSet<Arc<str>> = BTreeSet::new();
    let given: &[Template] = match &rows.given {
        Part::PerRow(documents) => documents,
        Part::Fixed(_) => &[],
    };
    let all = steps.iter().chain(given).chain(now).chain(vars.iter().map(|(_, value)| value));
    let rows = cases.iter().flat_map(|case| case.values.iter().map(|(_, value)| value));
    for template in all.chain(rows) {
        if keys_read(template, &mut read) {
            return;
        }
    }
    let mut told: BTreeSet<Arc<str>> = BTreeSet::new();
    for (key, _) in cases.iter().flat_map(|case| &case.values) {
        // `that` and `save` may hold it as bare CEL, which is compiled only where it stands.
        if told.len() > 100 {
            break;
        }
        if read.contains(&key.text) || !told.insert(key.text.clone()) || bare_reads(steps, &key.text) {
            continue;
        }
        let words: Vec<&str> = read.iter().map(|key| &**key).collect();
        let fault = format!("nothing reads `{}` of the rows", shorten(&key.text));
        let fault = Diagnostic::warning("case::unused-value", key.span, fault);
        let mut fault = did_you_mean(fault, key, &words);
        fault.patch = None;
        reader.push(fault);
    }
}

/// Whether some text of the steps mentions `case.KEY`.
fn bare_reads(steps: &[Template], key: &str) -> bool {
    fn mentions(template: &Template, key: &str) -> bool {
        match &template.kind {
            Kind::Text(text) => {
                text.match_indices("case").any(|(at, _)| text.get(at..).is_some_and(|rest| rest.contains(key)))
            }
            Kind::List(items) => items.iter().any(|item| mentions(item, key)),
            Kind::Map(entries) => entries.iter().any(|(_, value)| mentions(value, key)),
            _ => false,
        }
    }
    steps.iter().any(|step| mentions(step, key))
}
