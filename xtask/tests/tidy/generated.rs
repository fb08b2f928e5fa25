//! Generated code is that of the files it is generated from.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn protos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/protos")
}

/// All files below `folder` with this extension, as paths relative to `root`, sorted.
fn files(root: &Path, folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(root, &path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}

/// Writes the messages and the descriptor set into `folder`.
fn generate(proto: &Path, folder: &Path) {
    let mut sources = Vec::new();
    files(proto, proto, "proto", &mut sources);
    let mut compiler = protox::Compiler::new([proto]).unwrap();
    // Comments stay in the generated code and out of the embedded descriptors.
    compiler.include_imports(true).include_source_info(true).open_files(&sources).unwrap();
    let described = compiler.file_descriptor_set();
    prost_build::Config::new()
        .btree_map(["."])
        .enable_type_names()
        .type_name_domain(["."], "type.googleapis.com")
        .skip_protoc_run()
        .out_dir(folder)
        .include_file("mod.rs")
        .compile_fds(described)
        .unwrap();
    let mut compiler = protox::Compiler::new([proto]).unwrap();
    let bytes = compiler.include_imports(true).open_files(&sources).unwrap().encode_file_descriptor_set();
    fs::write(folder.join("descriptors.binpb"), bytes).unwrap();
}

#[test]
fn messages_and_descriptors_are_those_of_the_protos() {
    let fresh = tempfile::tempdir().unwrap();
    generate(&protos().join("proto"), fresh.path());
    let kept = protos().join("src/generated");
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let mut stale = Vec::new();
    for name in names(fresh.path()) {
        let bytes = fs::read(fresh.path().join(&name)).unwrap();
        if fs::read(kept.join(&name)).ok().as_ref() != Some(&bytes) {
            fs::write(kept.join(&name), bytes).unwrap();
            stale.push(name);
        }
    }
    for name in names(&kept) {
        if !fresh.path().join(&name).exists() {
            fs::remove_file(kept.join(&name)).unwrap();
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "these files of crates/protos/src/generated were stale and are now rewritten: {stale:?}");
}
