//! Files that are wrong: every message, whole, beside the file.
