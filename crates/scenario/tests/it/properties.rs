//! Whatever is in a file, reading it ends, without a panic.
