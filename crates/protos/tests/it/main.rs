//! The table as others use it.

mod properties;
mod table;
