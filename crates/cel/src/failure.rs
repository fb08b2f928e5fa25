//! Why there is no value, before the place is known; and the count of steps.

use std::cell::Cell;

use crate::program::EvalErrorKind;

/// A failure without its place.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: EvalErrorKind,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Missing, message: message.into() }
    }

    pub(crate) fn of_type(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Type, message: message.into() }
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Other, message: message.into() }
    }
}

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Meter {
    most: u64,
    left: Cell<u64>,
}

impl Meter {
    pub(crate) fn of(most: u64) -> Self {
        Self { most, left: Cell::new(most) }
    }

    /// Takes steps.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Failure> {
        match self.left.get().checked_sub(steps as u64) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.left.set(0);
                let message = format!("the expression takes too many steps, {} are the most", self.most);
                Err(Failure { kind: EvalErrorKind::Budget, message })
            }
        }
    }

    /// Takes the steps for bytes that are made or looked at.
    pub(crate) fn spend_bytes(&self, bytes: usize) -> Result<(), Failure> {
        self.spend(bytes / 16)
    }
}
