//! Path templates of `google.api.http`: `/v1/{name=projects/*/serviceAccounts/*}:signJwt`.

use std::fmt::{self, Display};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is when a value is written into one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text.
    Literal(String),
    /// One segment of any text, not empty.
    One,
    /// All segments that are left, at least one. Only ever the last.
    Rest,
}

/// A part of a path that gives a field its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The field's path in proto spelling, for example `name` or `service.name`.
    pub field: String,
    /// The segments that it covers: `start..end`.
    pub start: usize,
    /// See [`start`](Self::start).
    pub end: usize,
}

/// A path with variables, as `google.api.http` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    segments: Vec<Segment>,
    variables: Vec<Variable>,
    verb: Option<String>,
}

/// Why a text is no path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault(&'static str);

impl Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TemplateFault {}

impl PathTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// The syntax is not that of `google.api.http`: no leading slash, an open brace, an empty segment, `**` before the end.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut rest = text.strip_prefix('/').ok_or(TemplateFault("a template starts with `/`"))?;
        let mut template = Self { text: text.to_owned(), segments: Vec::new(), variables: Vec::new(), verb: None };
        let after_variables = rest.rfind('}').map_or(0, |brace| brace + 1);
        let tail = rest.get(after_variables..).unwrap_or_default();
        if let Some(colon) = tail.rfind(':') {
            let verb = &tail[colon + 1..];
            if verb.is_empty() || verb.contains('/') {
                return Err(TemplateFault("a verb stands after the last segment"));
            }
            template.verb = Some(verb.to_owned());
            rest = &rest[..after_variables + colon];
        }
        loop {
            if let Some(open) = rest.strip_prefix('{') {
                let close = open.find('}').ok_or(TemplateFault("a variable ends with `}`"))?;
                let (field, pattern) = open[..close].split_once('=').unwrap_or((&open[..close], "*"));
                if field.is_empty() {
                    return Err(TemplateFault("a variable names a field"));
                }
                let start = template.segments.len();
                for segment in pattern.split('/') {
                    template.push(segment)?;
                }
                let end = template.segments.len();
                template.variables.push(Variable { field: field.to_owned(), start, end });
                rest = &open[close + 1..];
            } else {
                let end = rest.find('/').unwrap_or(rest.len());
                template.push(&rest[..end])?;
                rest = &rest[end..];
            }
            match rest.strip_prefix('/') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(template),
                None => return Err(TemplateFault("a variable covers whole segments")),
            }
        }
    }

    fn push(&mut self, segment: &str) -> Result<(), TemplateFault> {
        if self.segments.last() == Some(&Segment::Rest) {
            return Err(TemplateFault("`**` is the last segment"));
        }
        self.segments.push(match segment {
            "" => return Err(TemplateFault("a segment is not empty")),
            "*" => Segment::One,
            "**" => Segment::Rest,
            text if text.contains(['{', '}', '*', ':']) => {
                return Err(TemplateFault("a segment is text, `*` or `**`"));
            }
            text => Segment::Literal(text.to_owned()),
        });
        Ok(())
    }

    /// The template as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Its variables, in the order of the path.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// What follows the last segment after a colon.
    #[must_use]
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_deref()
    }

    /// Writes a path with these values of the variables, percent-encoded where a path needs it.
    ///
    /// `None` if a variable has no value or its value does not have the form of its segments.
    pub fn expand<'v>(&self, mut value_of: impl FnMut(&str) -> Option<&'v str>) -> Option<String> {
        let mut path = String::with_capacity(self.text.len() + 48);
        let mut at = 0;
        while at < self.segments.len() {
            if let Some(variable) = self.variables.iter().find(|variable| variable.start == at) {
                let value = value_of(&variable.field)?;
                let parts: Vec<&str> = value.split('/').collect();
                let pattern = self.segments.get(variable.start..variable.end)?;
                let fits = match pattern.split_last() {
                    Some((Segment::Rest, before)) => {
                        parts.len() > before.len()
                            && before.iter().zip(&parts).all(|(segment, part)| segment.takes(part))
                    }
                    _ => {
                        parts.len() == pattern.len()
                            && pattern.iter().zip(&parts).all(|(segment, part)| segment.takes(part))
                    }
                };
                if !fits || parts.iter().any(|part| part.is_empty()) {
                    return None;
                }
                for part in parts {
                    path.push('/');
                    path.extend(utf8_percent_encode(part, SEGMENT));
                }
                at = variable.end;
            } else {
                match self.segments.get(at)? {
                    Segment::Literal(text) => {
                        path.push('/');
                        path.push_str(text);
                    }
                    Segment::One | Segment::Rest => return None,
                }
                at += 1;
            }
        }
        if let Some(verb) = &self.verb {
            path.push(':');
            path.push_str(verb);
        }
        Some(path)
    }
}

impl Segment {
    fn takes(&self, part: &str) -> bool {
        match self {
            Self::Literal(text) => text == part,
            Self::One | Self::Rest => !part.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_template_has_segments_variables_and_a_verb() {
        let template = PathTemplate::parse("/v2/{service.name=projects/*/services/*}:run").unwrap();
        assert_eq!(template.segments().len(), 5);
        assert_eq!(template.variables(), [Variable { field: "service.name".into(), start: 1, end: 5 }]);
        assert_eq!(template.verb(), Some("run"));
    }

    #[rstest]
    #[case("v1/a")]
    #[case("/v1//a")]
    #[case("/v1/{name=projects/*")]
    #[case("/v1/{=*}")]
    #[case("/v1/{name=**}/a")]
    #[case("/v1/{name}x")]
    #[case("/v1/a:")]
    fn what_is_no_template_is_refused(#[case] text: &str) {
        assert!(PathTemplate::parse(text).is_err());
    }

    #[rstest]
    #[case(Some("projects/-/serviceAccounts/a b@x"), Some("/v1/projects/-/serviceAccounts/a%20b@x:signJwt"))]
    #[case(Some("projects/-/serviceAccounts"), None)]
    #[case(Some("projects//serviceAccounts/x"), None)]
    #[case(Some("organizations/1/serviceAccounts/x"), None)]
    #[case(None, None)]
    fn a_path_is_written_from_values(#[case] name: Option<&'static str>, #[case] path: Option<&str>) {
        let template = PathTemplate::parse("/v1/{name=projects/*/serviceAccounts/*}:signJwt").unwrap();
        assert_eq!(template.expand(|field| name.filter(|_| field == "name")).as_deref(), path);
    }
}
