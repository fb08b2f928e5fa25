//! Generated code is that of the files it is generated from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokenrig_protos::{
    prost::Message as _,
    prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, Value},
    prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet},
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

/// Writes the messages, the table of methods and the descriptor set into `folder`.
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
    compiler.include_imports(true).open_files(&sources).unwrap();
    let whole = DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap();
    fs::write(folder.join("table.rs"), methods(&whole)).unwrap();
    fs::write(folder.join("descriptors.binpb"), messages(compiler.file_descriptor_set()).encode_to_vec()).unwrap();
}

/// What a running rig needs of the protos: messages and enumerations, without what only the table or a compiler reads.
fn messages(mut set: FileDescriptorSet) -> FileDescriptorSet {
    let of_options = ["google/protobuf/descriptor.proto", "google/api/http.proto", "google/api/annotations.proto"];
    let left_out = |name: &str| of_options.contains(&name) || name == "tokenrig/api/annotations.proto";
    set.file.retain(|file| !left_out(file.name()));
    for file in &mut set.file {
        let kept: Vec<bool> = file.dependency.iter().map(|name| !left_out(name)).collect();
        assert!(file.public_dependency.is_empty() && file.weak_dependency.is_empty());
        let mut kept = kept.into_iter();
        file.dependency.retain(|_| kept.next().unwrap());
        file.service.clear();
        file.extension.clear();
        file.options = None;
        file.source_code_info = None;
        file.message_type.iter_mut().for_each(bare);
        file.enum_type.iter_mut().for_each(bare_enum);
    }
    set
}

fn bare(message: &mut DescriptorProto) {
    // Of all options only this one says what a message is.
    message.options = message.options.take().filter(|options| options.map_entry());
    message.extension.clear();
    for field in &mut message.field {
        field.options = None;
        if field.json_name == Some(camel_case(field.name())) {
            field.json_name = None;
        }
    }
    message.oneof_decl.iter_mut().for_each(|one| one.options = None);
    message.nested_type.iter_mut().for_each(bare);
    message.enum_type.iter_mut().for_each(bare_enum);
}

fn bare_enum(described: &mut EnumDescriptorProto) {
    described.options = None;
    described.value.iter_mut().for_each(|value| value.options = None);
}

/// The JSON name that a field has unless its proto says otherwise.
fn camel_case(name: &str) -> String {
    let mut upper = false;
    let letters = name.chars().filter_map(|c| {
        let raised = std::mem::replace(&mut upper, c == '_');
        (c != '_').then(|| if raised { c.to_ascii_uppercase() } else { c })
    });
    letters.collect()
}

/// The table of methods: all that are annotated, in the order of the protos.
fn methods(pool: &DescriptorPool) -> String {
    let extension = |name: &str| pool.get_extension_by_name(name).unwrap();
    let (http, api, method) =
        (extension("google.api.http"), extension("tokenrig.api.api"), extension("tokenrig.api.method"));
    let option = |options: &DynamicMessage, extension: &ExtensionDescriptor| {
        options.get_extension(extension).as_message().unwrap().clone()
    };
    let mut rows = String::new();
    for described in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let service = described.parent_service();
        if !service.options().has_extension(&api) {
            continue;
        }
        let (of_service, options) = (option(&service.options(), &api), described.options());
        let own = option(&options, &method);
        let mut rules = Vec::new();
        read_rules(&option(&options, &http), &mut rules);
        let scopes: Vec<String> = [texts(&of_service, "scopes"), texts(&own, "scopes")].concat();
        let google_name = Some(text(&of_service, "google_name")).filter(|name| !name.is_empty());
        rows.push_str(&format!(
            "    Row {{ id: {:?}, host: {:?}, version: {:?}, surface: {:?}, service: {:?}, name: {:?}, rules: &[{}], input: {:?}, output: {:?}, grpc: {}, regional: {}, federated: {}, scopes: &{:?} }},\n",
            text(&own, "id"),
            text(&of_service, "host"),
            text(&of_service, "version"),
            text(&of_service, "surface"),
            google_name.as_deref().unwrap_or(service.full_name()),
            described.name(),
            rules.join(", "),
            described.input().full_name(),
            described.output().full_name(),
            !flag(&of_service, "rest_only"),
            flag(&of_service, "regional"),
            !flag(&of_service, "refuses_federated"),
            scopes,
        ));
    }
    format!("// Made of the protos by xtask/tests/tidy.\npub(crate) static METHODS: &[Row] = &[\n{rows}];\n")
}

fn read_rules(rule: &DynamicMessage, rules: &mut Vec<String>) {
    for verb in ["Get", "Put", "Post", "Delete", "Patch"] {
        let field = verb.to_lowercase();
        if rule.has_field_by_name(&field) {
            rules.push(format!("({verb}, {:?}, {:?})", text(rule, &field), text(rule, "body")));
        }
    }
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.as_deref().and_then(Value::as_list).unwrap_or_default() {
        read_rules(rule.as_message().unwrap(), rules);
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn flag(message: &DynamicMessage, field: &str) -> bool {
    message.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
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
