//! What names mean while an expression is evaluated.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::value::Value;

/// A function that a scope brings: takes the arguments, gives a value or says in words why not.
pub(crate) type Custom = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// The values of the free names of an expression, and for scenarios the functions that it may call beside CEL's own.
///
/// Cheap to build and to clone: values are shared.
#[derive(Clone, Default)]
pub struct Scope {
    values: Vec<(Cow<'static, str>, Value)>,
    functions: Vec<(Cow<'static, str>, Arc<Custom>)>,
}

impl Scope {
    /// A scope without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same scope with one more name; a name given twice means what it was given last.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Gives a name its value.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.values.push((name, value)),
        }
    }

    /// The same scope with a function that expressions of [`Dialect::Scenario`](crate::Dialect::Scenario) may call by
    /// this name, as `name(arguments)`. Other dialects do not see it.
    #[must_use]
    pub fn function(
        mut self,
        name: impl Into<Cow<'static, str>>,
        function: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        self.functions.retain(|(known, _)| *known != name);
        self.functions.push((name, Arc::new(function)));
        self
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(name, _)| &**name)
    }

    pub(crate) fn find_function(&self, name: &str) -> Option<&Arc<Custom>> {
        self.functions.iter().find(|(known, _)| known == name).map(|(_, function)| function)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("names", &self.names().collect::<Vec<_>>())
            .field("functions", &self.functions.iter().map(|(name, _)| &**name).collect::<Vec<_>>())
            .finish()
    }
}
