//! What a run looks like.

mod junit;
mod sample;
mod terminal;
