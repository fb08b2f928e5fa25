//! Who runs the images behind Cloud Run services.

use std::{fmt, sync::Arc};

use tokenrig::WorkloadMaker;

/// What makes a workload of `{image: REF}`, or why nothing does. Without more, this build leaves images out.
#[derive(Clone)]
pub struct Images(Result<WorkloadMaker, String>);

impl Images {
    /// Made by another crate, which needs a Docker engine.
    #[must_use]
    pub fn made_by(maker: WorkloadMaker) -> Self {
        Self(Ok(maker))
    }

    /// Made by nobody: why, in words that fit after "needs `docker`: ".
    #[must_use]
    pub fn missing(why: impl Into<String>) -> Self {
        Self(Err(why.into()))
    }

    /// Whether a scenario may need them.
    pub(crate) fn offered(&self) -> Result<(), String> {
        self.0.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// What makes them; where nobody does, what says so to whoever asks for one.
    pub(crate) fn maker(&self) -> WorkloadMaker {
        match &self.0 {
            Ok(maker) => Arc::clone(maker),
            Err(why) => {
                let why = why.clone();
                Arc::new(move |_| Err(why.clone()))
            }
        }
    }
}

impl Default for Images {
    fn default() -> Self {
        Self::missing("this build plays no images; the feature `containers` brings them in")
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Images").field(&self.offered()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_asks_for_an_image_that_nobody_runs_learns_why() {
        let images = Images::missing("no Docker engine answers");
        assert_eq!(images.offered().unwrap_err(), "no Docker engine answers");
        assert_eq!((images.maker())(&json!("orders")).unwrap_err(), "no Docker engine answers");
        assert!(Images::default().offered().unwrap_err().contains("`containers`"));
    }
}
