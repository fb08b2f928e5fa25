//! What a run looks like.

mod browser;
mod files;
mod junit;
mod page;
mod sample;
mod terminal;
