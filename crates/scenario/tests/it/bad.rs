//! Files that are wrong: every message, whole, beside the file.

use std::path::Path;

use tokenrig_scenario::{Faults, Folder, parse_given, parse_scenario};

fn faults(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let folder = Folder(path.parent().unwrap().to_owned());
    let faults: Faults = if name.ends_with(".given.yaml") {
        parse_given(&name, &bytes, &folder).map(drop).expect_err(&name)
    } else {
        parse_scenario(&name, &bytes, &folder).map(drop).expect_err(&name)
    };
    faults.to_string()
}

#[test]
fn a_wrong_file_gets_all_its_faults_with_places_and_mends() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../bad");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("../bad", "*.yaml", |path| insta::assert_snapshot!("bad", faults(path)));
    });
}
