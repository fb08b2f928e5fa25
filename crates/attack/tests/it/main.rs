//! The attack against endpoints that are right, and against one that believes everything.

mod endpoints;
