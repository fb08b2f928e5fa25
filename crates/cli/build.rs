//! Links the program to a fixed address.
//!
//! As a position-independent program it would begin with some fifty thousand relocations, two milliseconds of each start
//! and a mebibyte of memory. It listens on loopback and guards nothing that is worth a secret address.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "that is how a build script talks with cargo"
)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(name).unwrap_or_default();
    if target("CARGO_CFG_TARGET_OS") == "linux" && target("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
