//! Images behind Cloud Run services: with the feature `containers`, where a Docker engine answers.

use tokenrig_offline::Images;

/// Who makes them. Whoever calls has pulled what it needs: a command reaches nothing outside on its own.
#[cfg(feature = "containers")]
pub(crate) async fn images() -> Images {
    match tokenrig_containers::engine().await {
        Ok(_) => Images::made_by(tokenrig_containers::images(tokenrig_containers::Pull::Never)),
        Err(fault) => Images::missing(fault.to_string()),
    }
}

/// Nobody makes them.
#[cfg(not(feature = "containers"))]
#[expect(clippy::unused_async, reason = "with the feature it asks the engine")]
pub(crate) async fn images() -> Images {
    Images::default()
}
