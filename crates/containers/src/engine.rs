//! The Docker engine, and the one place from which it is spoken to.

use std::{future::Future, sync::LazyLock, time::Duration};

use testcontainers::{
    GenericImage,
    bollard::{Docker, errors::Error, query_parameters::RemoveContainerOptionsBuilder},
    core::client::docker_client_instance,
    runners::AsyncRunner as _,
};
use tokenrig_clock::real::within;
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::{Pull, reference::Reference};

/// How long the engine may take to say who it is.
const ANSWER: Duration = Duration::from_secs(2);

/// Why there is no engine, or why it does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineFault {
    /// No engine answers.
    #[error("no Docker engine answers: {0}")]
    Silent(String),
    /// It does not have the image, and it was not told to pull it.
    #[error("there is no image `{0}` here, and none is pulled: build it, or `docker pull` it beforehand")]
    NoImage(String),
    /// It was asked for something and did not do it.
    #[error("the Docker engine refused: {0}")]
    Refused(String),
}

impl EngineFault {
    pub(crate) fn refused(fault: impl std::fmt::Display) -> Self {
        Self::Refused(fault.to_string())
    }
}

/// The threads that speak to the engine. They outlive every rig and every runtime of a test, so that a container which is
/// just being made is removed however its rig ends.
static THREADS: LazyLock<Result<Runtime, String>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("containers").enable_all().build();
    built.map_err(|fault| fault.to_string())
});

/// Begins work that goes on whoever waits for it.
pub(crate) fn begin(work: impl Future<Output = ()> + Send + 'static) -> Result<(), EngineFault> {
    let threads = THREADS.as_ref().map_err(|fault| EngineFault::Silent(fault.clone()))?;
    threads.spawn(work);
    Ok(())
}

/// Asks the engine on this machine for its version, for example `28.2.2`.
///
/// # Errors
///
/// [`EngineFault::Silent`] if none answers within two seconds.
pub async fn engine() -> Result<String, EngineFault> {
    let (tell, told) = oneshot::channel();
    begin(async move {
        let version = async {
            let version = client().await?.version().await;
            version.map_err(|fault| EngineFault::Silent(fault.to_string()))
        };
        let _ = tell.send(within(ANSWER, version).await);
    })?;
    match told.await {
        Ok(Ok(version)) => Ok(version?.version.unwrap_or_default()),
        Ok(Err(late)) => Err(EngineFault::Silent(late.to_string())),
        Err(_) => Err(EngineFault::Silent("it was not asked to the end".to_owned())),
    }
}

pub(crate) async fn client() -> Result<Docker, EngineFault> {
    docker_client_instance().await.map_err(|fault| EngineFault::Silent(fault.to_string()))
}

/// The id of an image, `sha256:…`; whoever starts a container of it pulls nothing.
pub(crate) async fn image_id(image: &Reference, pull: Pull) -> Result<String, EngineFault> {
    match found(image).await {
        Err(EngineFault::NoImage(_)) if pull == Pull::Missing => {
            let (name, tag) = image.parts();
            let _pulled = GenericImage::new(name, tag).pull_image().await.map_err(EngineFault::refused)?;
            found(image).await
        }
        found => found,
    }
}

async fn found(image: &Reference) -> Result<String, EngineFault> {
    match client().await?.inspect_image(image.as_str()).await {
        Ok(found) => found.id.ok_or_else(|| EngineFault::Refused("it does not tell the image's id".to_owned())),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Err(EngineFault::NoImage(image.to_string())),
        Err(Error::DockerResponseServerError { message, .. }) => Err(EngineFault::Refused(message)),
        Err(fault) => Err(EngineFault::Silent(fault.to_string())),
    }
}

/// Kills and removes a container with its volumes, if there is one.
pub(crate) async fn remove(name: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    if let Ok(client) = client().await {
        // It may be gone already.
        let _ = client.remove_container(name, Some(options)).await;
    }
}
