//! The crate from outside: against another implementation, against the standard's own vectors, and under random input.

mod properties;
mod second_opinion;
mod standard;
mod vectors;
