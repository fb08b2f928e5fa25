//! Included given files.

use std::collections::BTreeSet;

use crate::{
    compile,
    diagnostic::Diagnostic,
    load::{Loader, join},
    pasted::{self, Pasted},
    reader::Reader,
    source::{MAX_BYTES, Source, SourceId, Sources, Span},
    template::{Kind, Style, Template},
    yaml::{self, shorten},
};

/// How deep files may include files.
const MAX_DEPTH: usize = 16;
/// How many files one document may include, directly or not.
const MAX_FILES: usize = 64;

/// Reads what a given map includes, each file once.
pub(crate) struct Includer<'l> {
    loader: &'l dyn Loader,
    /// The first document's folder as messages write it, with `/` at its end, or empty.
    folder: String,
    seen: BTreeSet<String>,
    bytes: usize,
    pub(crate) documents: Vec<Template>,
    /// What Google has written, of all files.
    pasted: Pasted,
}

impl<'l> Includer<'l> {
    pub(crate) fn new(loader: &'l dyn Loader, first: &str) -> Self {
        let folder = first.rfind('/').and_then(|slash| first.get(..=slash)).unwrap_or_default().to_owned();
        Self { loader, folder, seen: BTreeSet::new(), bytes: 0, documents: Vec::new(), pasted: Pasted::default() }
    }

    /// Reads the includes of a document. `path` are the files that lead to it, each relative to the folder; the first
    /// document stands as its bare name.
    pub(crate) fn follow(
        &mut self,
        document: &Template,
        path: &mut Vec<String>,
        sources: &mut Sources,
        out: &mut Vec<Diagnostic>,
    ) {
        let Some(list) = document.get("include") else { return };
        let files = {
            let mut reader = Reader::new(sources);
            let files: Vec<_> = reader
                .items(list, "`include`")
                .unwrap_or_default()
                .iter()
                .filter_map(|item| reader.word(item, "an included file"))
                .collect();
            out.append(&mut reader.out);
            files
        };
        for file in files {
            let from = path.last().map_or("", String::as_str);
            let Some(joined) = join(from, &file.text) else {
                out.push(
                    Diagnostic::error(
                        "include::outside",
                        file.span,
                        format!("`{}` is outside of the folder", shorten(&file.text)),
                    )
                    .help("only files in the folder of the first file, and below it, are included"),
                );
                continue;
            };
            if path.contains(&joined) {
                let round: Vec<String> = path
                    .iter()
                    .skip_while(|seen| **seen != joined)
                    .chain([&joined])
                    .map(|file| format!("`{file}`"))
                    .collect();
                out.push(Diagnostic::error(
                    "include::cycle",
                    file.span,
                    format!("files include each other in a circle: {}", round.join(", ")),
                ));
                continue;
            }
            if path.len() >= MAX_DEPTH || self.seen.len() >= MAX_FILES {
                let fault = format!("files include files at most {MAX_DEPTH} deep, and {MAX_FILES} in all");
                out.push(Diagnostic::error("include::too-many", file.span, fault));
                return;
            }
            if !self.seen.insert(joined.clone()) {
                continue;
            }
            if let Some(document) = self.read(&joined, file.span, sources, out) {
                path.push(joined);
                self.documents.push(document.clone());
                self.follow(&document, path, sources, out);
                path.pop();
            }
        }
    }

    fn read(&mut self, path: &str, asked: Span, sources: &mut Sources, out: &mut Vec<Diagnostic>) -> Option<Template> {
        let bytes = match self.loader.load(path) {
            Ok(bytes) => bytes,
            Err(why) => {
                out.push(Diagnostic::error("include::unreadable", asked, format!("cannot read `{path}`: {why}")));
                return None;
            }
        };
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_BYTES {
            let fault = format!("included files have at most {} MiB in all", MAX_BYTES >> 20);
            out.push(Diagnostic::error("file::too-large", asked, fault));
            return None;
        }
        let id = decode(&format!("{}{path}", self.folder), &bytes, sources, out)?;
        self.document(id, sources, out)
    }

    /// A given document that was decoded. What Google has written in it is kept for [`finish`](Self::finish).
    pub(crate) fn document(&mut self, id: SourceId, sources: &Sources, out: &mut Vec<Diagnostic>) -> Option<Template> {
        given_document(id, sources, &mut self.pasted, out)
    }

    /// All documents: the first one, those that it includes, and one of all that Google has written.
    pub(crate) fn finish(self, first: Template, out: &mut Vec<Diagnostic>) -> Vec<Template> {
        let mut documents = vec![first];
        documents.extend(self.documents);
        let pasted = self.pasted.document(&documents, out);
        documents.extend(pasted);
        documents
    }
}

/// Takes bytes as text among the sources; `None` if they are none, which has been told.
pub(crate) fn decode(name: &str, bytes: &[u8], sources: &mut Sources, out: &mut Vec<Diagnostic>) -> Option<SourceId> {
    if bytes.len() > MAX_BYTES {
        let id = sources.add(Source::new(name, ""));
        let fault = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        out.push(Diagnostic::error("file::too-large", Span::new(id, 0, 0), fault));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(sources.add(Source::new(name, text))),
        Err(fault) => {
            let good = bytes.get(..fault.valid_up_to()).unwrap_or_default();
            let id = sources.add(Source::new(name, String::from_utf8_lossy(good)));
            let place = Span::new(id, good.len(), good.len());
            let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
            out.push(match utf16 {
                true => Diagnostic::error("file::not-utf-8", place, "the file is written in UTF-16")
                    .help("save it as UTF-8"),
                false => {
                    Diagnostic::error("file::not-utf-8", place, format!("byte {} is no text in UTF-8", good.len()))
                        .help("save the file as UTF-8; is it a binary file?")
                }
            });
            None
        }
    }
}

fn given_document(id: SourceId, sources: &Sources, pasted: &mut Pasted, out: &mut Vec<Diagnostic>) -> Option<Template> {
    let source = sources.get(id)?;
    let before = out.len();
    let mut nodes = yaml::parse_all(source, id, out);
    // An empty file gives nothing, and so does one of Google's for the map that people write.
    let nothing = Template { kind: Kind::Map(Vec::new()), span: Span::new(id, 0, 0), style: Style::Plain };
    if out.len() > before && nodes.is_empty() {
        return None;
    }
    if let Some(several) = nodes.get(1).map(|node| node.span)
        && !nodes.iter().all(pasted::is_googles)
    {
        let fault = "a file of several documents holds Google's resources alone, as gcloud prints them";
        let fault = Diagnostic::error("yaml::several-documents", several, fault);
        out.push(fault.help("put what you have written into a file of its own"));
        return None;
    }
    if nodes.iter().all(pasted::is_googles) {
        nodes.into_iter().for_each(|node| pasted.take(node, out));
        return Some(nothing);
    }
    let template = compile::template(nodes.pop()?, source, out);
    match template.kind {
        Kind::Map(_) | Kind::Null => Some(template),
        _ => {
            let fault = format!("a given file is a map of resources, and this is {}", template.what());
            out.push(Diagnostic::error("file::wrong-type", template.span, fault));
            None
        }
    }
}
