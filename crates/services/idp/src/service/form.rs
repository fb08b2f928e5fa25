//! The fields of a query or of a posted form.

/// Fields in order; of two with the same name the first counts, and [`Form::repeats`] says so.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

/// The most fields that are looked at.
const MOST: usize = 100;

impl Form {
    /// Reads what a query or a body of type `application/x-www-form-urlencoded` holds.
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().take(MOST).collect())
    }

    /// A field by its name.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a name stands twice, which no request of OAuth 2.0 may have (RFC 6749, section 3.1).
    pub(crate) fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == name))
    }

    /// All of them.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
