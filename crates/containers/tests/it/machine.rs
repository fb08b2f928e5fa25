//! What the tests need of the machine: an engine, and an image that nobody has to pull.

use std::{collections::HashMap, io::Write as _, path::Path, process::Command, sync::Arc, time::Duration};

use serde_json::json;
use testcontainers::{
    GenericBuildableImage,
    bollard::{
        Docker,
        models::{ContainerSummary, PortSummary},
        query_parameters::ListContainersOptionsBuilder,
    },
    core::client::docker_client_instance,
    runners::AsyncBuilder as _,
};
use tokenrig_clock::real::pause;
use tokenrig_cloudrun::{Contract, Workload};
use tokenrig_containers::{Pull, engine, images};
use tokio::sync::OnceCell;

/// The image, built from nothing. It stays on the machine, a megabyte, so that the next run has it.
pub(crate) const IMAGE: &str = "tokenrig-containers-test:latest";

static BUILT: OnceCell<Result<(), String>> = OnceCell::const_new();

/// Whether there is an engine with the image. If not, it is said why, once.
pub(crate) async fn is_ready() -> bool {
    let built = BUILT.get_or_init(async || {
        let built = match engine().await {
            Ok(_) => build().await,
            Err(fault) => Err(fault.to_string()),
        };
        built.inspect_err(|why| skip(why))
    });
    built.await.is_ok()
}

/// Not by a macro: what those print is kept back while a test passes.
fn skip(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED all that needs containers: {why}");
}

async fn build() -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("server");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/server.c");
    let compiled = Command::new("cc").args(["-static", "-O1", "-o"]).arg(&program).arg(source).output();
    let compiled = compiled.map_err(|fault| format!("there is no C compiler: {fault}"))?;
    if !compiled.status.success() {
        return Err(format!("nothing static can be linked: {}", String::from_utf8_lossy(&compiled.stderr)));
    }
    let (name, tag) = IMAGE.split_once(':').unwrap();
    let image = GenericBuildableImage::new(name, tag)
        .with_dockerfile_string("FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\nEXPOSE 9090\n")
        .with_file(program, "server");
    // An engine that answers and cannot build is not what a test may pass over.
    let _built = image.build_image().await.unwrap();
    Ok(())
}

pub(crate) fn image() -> Arc<dyn Workload> {
    images(Pull::Never)(&json!(IMAGE)).unwrap()
}

/// A contract for a service that no other test has.
pub(crate) fn contract(service: &str) -> Contract {
    Contract {
        service: format!("{service}-{}", std::process::id()),
        revision: format!("{service}-00001-abc"),
        configuration: service.to_owned(),
        service_account: "caller@shop-test.iam.gserviceaccount.com".to_owned(),
        port: 8080,
        http2: false,
        command: Vec::new(),
        args: Vec::new(),
        environment: Vec::new(),
        start_up: Duration::from_secs(20),
        grace: Duration::from_secs(10),
        timeout: Duration::from_secs(60),
    }
}

/// The containers of a service, running or not.
pub(crate) async fn containers(service: &str) -> Vec<ContainerSummary> {
    let label = format!("dev.tokenrig.service={service}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    client().await.list_containers(Some(options)).await.unwrap()
}

/// Waits until a service has no container any more.
pub(crate) async fn is_gone(service: &str) -> bool {
    for _ in 0..100 {
        if containers(service).await.is_empty() {
            return true;
        }
        pause(Duration::from_millis(50)).await;
    }
    false
}

/// Where a container is published: address and port inside.
pub(crate) fn published(container: &ContainerSummary) -> Vec<(String, u16)> {
    let ports: &[PortSummary] = container.ports.as_deref().unwrap_or_default();
    ports.iter().filter_map(|port| Some((port.ip.clone()?, port.private_port))).collect()
}

async fn client() -> Docker {
    docker_client_instance().await.unwrap()
}
