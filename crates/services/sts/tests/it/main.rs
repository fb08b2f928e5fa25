//! The service from outside.

mod refusals;
