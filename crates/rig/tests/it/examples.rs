//! The examples run: each is whole, and fails by itself if the rig does something else.

#[path = "../../examples/federation.rs"]
mod federation;
#[path = "../../examples/private_service.rs"]
mod private_service;

#[test]
fn federation_runs() {
    federation::main();
}

#[test]
fn private_service_runs() {
    private_service::main();
}
