//! The service from outside, on both wires.

mod accounts;
mod keys;
mod org_policies;
mod pools;
mod projects;
mod providers;
mod refusals;
mod rig;
mod roles;
mod services;
