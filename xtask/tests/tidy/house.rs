//! The workspace as cargo sees it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// A member of the workspace.
pub(crate) struct Crate {
    /// The package's name.
    pub(crate) name: String,
    /// Its folder, relative to the workspace, with forward slashes.
    pub(crate) folder: String,
    /// `[package.metadata.house] floor`.
    pub(crate) floor: Option<u64>,
    /// `[package.metadata.house] rooms`: rooms beyond the usual ones, or left out, and why.
    pub(crate) rooms: BTreeMap<String, String>,
    /// Names of the members that it depends on, for building, running or testing.
    pub(crate) needs: Vec<String>,
}

impl Crate {
    /// Whether it plays a service of Google or of a third party.
    pub(crate) fn is_service(&self) -> bool {
        self.folder.starts_with("crates/services/")
    }

    /// The last part of its folder: the name in DESIGN and README.
    pub(crate) fn short(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }
}

/// All members, by folder.
pub(crate) static CRATES: LazyLock<Vec<Crate>> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo can be run: it runs this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("metadata has packages");
    let mut crates: Vec<Crate> = packages.iter().map(member).collect();
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    crates
});

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace").to_owned()
}

fn member(package: &Value) -> Crate {
    let text = |value: &Value| value.as_str().expect("cargo metadata keeps its format").to_owned();
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root()).ok()).expect("members are inside");
    let house = &package["metadata"]["house"];
    let rooms = house["rooms"].as_object().into_iter().flatten();
    let needs = package["dependencies"].as_array().into_iter().flatten();
    Crate {
        name: text(&package["name"]),
        folder: folder.to_string_lossy().replace('\\', "/"),
        floor: house["floor"].as_u64(),
        rooms: rooms.map(|(room, why)| (room.clone(), text(why))).collect(),
        needs: needs.filter(|need| need["path"].is_string()).map(|need| text(&need["name"])).collect(),
    }
}
