//! From a path to the method that it names: a tree of segments per verb, made once.

use std::{borrow::Cow, collections::HashMap};

use percent_encoding::percent_decode_str;

use crate::{
    method::{HttpRule, Method, Verb},
    template::Segment,
};

/// Paths with more segments than this name no method.
const MAX_SEGMENTS: usize = 32;

/// What a path names.
#[derive(Debug, Clone, PartialEq)]
pub struct RestMatch {
    /// The method.
    pub method: &'static Method,
    /// The form of it that the path has.
    pub rule: &'static HttpRule,
    /// Fields that the path gives, in proto spelling, with their decoded values.
    pub values: Vec<(&'static str, String)>,
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl PartialEq for HttpRule {
    fn eq(&self, other: &Self) -> bool {
        self.verb == other.verb && self.template == other.template
    }
}

/// The routes of one verb at one host.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    one: Option<Box<Node>>,
    ends: Vec<End>,
    rests: Vec<End>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    verb: Option<&'static str>,
    method: &'static Method,
    rule: &'static HttpRule,
}

impl Routes {
    pub(crate) fn add(&mut self, method: &'static Method, rule: &'static HttpRule) {
        let end = End { verb: rule.template.verb(), method, rule };
        let mut node = &mut self.root;
        for segment in rule.template.segments() {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text).or_default(),
                Segment::One => node.one.get_or_insert_default(),
                Segment::Rest => {
                    node.rests.push(end);
                    return;
                }
            };
        }
        node.ends.push(end);
    }

    /// The method that a path (without query, percent-encoded, with its leading slash) names.
    pub(crate) fn find(&self, path: &str) -> Option<RestMatch> {
        let rest = path.strip_prefix('/')?;
        let mut raw = [""; MAX_SEGMENTS];
        let mut count = 0;
        for segment in rest.split('/') {
            *raw.get_mut(count)? = segment;
            count += 1;
        }
        let segments = raw.get_mut(..count)?;
        // A verb follows the last colon of the last segment; a colon may also belong to the segment (`example.com:project`).
        let last = segments.last().copied()?;
        let end = last.rsplit_once(':').and_then(|(before, verb)| {
            *segments.last_mut()? = before;
            self.root.find(segments, Some(verb))
        });
        let end = match end {
            Some(end) => end,
            None => {
                *segments.last_mut()? = last;
                self.root.find(segments, None)?
            }
        };
        let values = end.rule.template.variables().iter().map(|variable| {
            let to = match end.rule.template.segments().get(variable.end - 1) {
                Some(Segment::Rest) => count,
                _ => variable.end,
            };
            let mut value = String::new();
            for segment in segments.get(variable.start..to)? {
                if !value.is_empty() {
                    value.push('/');
                }
                value.push_str(&decoded(segment)?);
            }
            Some((variable.field.as_str(), value))
        });
        Some(RestMatch { method: end.method, rule: end.rule, values: values.collect::<Option<_>>()? })
    }
}

/// One segment decoded; an encoded slash stays encoded, so that it cannot make two segments of one.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(if text.contains('/') { Cow::Borrowed(segment) } else { text })
}

impl Node {
    fn find(&self, segments: &[&str], verb: Option<&str>) -> Option<End> {
        let Some((first, rest)) = segments.split_first() else {
            return self.ends.iter().find(|end| end.verb == verb).copied();
        };
        if first.is_empty() {
            return None;
        }
        let literal = self.literals.get(*first).and_then(|node| node.find(rest, verb));
        let one = || self.one.as_ref().and_then(|node| node.find(rest, verb));
        let all = || self.rests.iter().find(|end| end.verb == verb).copied();
        literal.or_else(one).or_else(all)
    }
}

/// The methods of one host.
#[derive(Debug)]
pub struct Host {
    /// The public host name.
    pub name: &'static str,
    /// Its methods, in the order of the protos.
    pub methods: Vec<&'static Method>,
    /// Whether `LOCATION-NAME` answers too.
    pub regional: bool,
    grpc: HashMap<&'static str, &'static Method>,
    rest: [Routes; Verb::ALL.len()],
}

impl Host {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, methods: Vec::new(), regional: false, grpc: HashMap::new(), rest: Default::default() }
    }

    pub(crate) fn add(&mut self, method: &'static Method) {
        self.methods.push(method);
        self.regional |= method.regional;
        if method.grpc {
            self.grpc.insert(method.grpc_path, method);
        }
        for rule in &method.rules {
            if let Some(routes) = self.rest.get_mut(rule.verb as usize) {
                routes.add(method, rule);
            }
        }
    }

    /// The method of a gRPC path, `/package.Service/Method`.
    #[must_use]
    pub fn by_grpc_path(&self, path: &str) -> Option<&'static Method> {
        self.grpc.get(path).copied()
    }

    /// The method that a request names by verb and path (percent-encoded, without its query).
    #[must_use]
    pub fn match_rest(&self, verb: Verb, path: &str) -> Option<RestMatch> {
        self.rest.get(verb as usize)?.find(path)
    }
}
