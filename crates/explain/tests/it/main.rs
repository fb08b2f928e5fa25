//! What people in public threads had in their hands, and what they needed to be told.

mod credentials;
mod tokens;
mod urls;
