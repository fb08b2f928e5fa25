//! The offline world: every case in a rig of its own.
//!
//! [`Offline`] is the runner's [`World`] made of rigs. Requests go to the rig's gateway over TLS, as those of any client
//! do; only what has no public API (decisions, the clock, the owner's token) is asked of the rig itself. `exec` and
//! `serve` open their one rig by the same way ([`open`]), so that a given document means the same everywhere.
//!
//! ```
//! use tokenrig_offline::{Inherited, Offline};
//! use tokenrig_runner::{World as _, WorldName};
//!
//! let world = Offline::new(Inherited::default());
//! assert_eq!(world.kind(), WorldName::Offline);
//! assert_eq!(world.offers("echo"), Ok(()));
//! assert!(world.offers("python").is_err());
//! ```

mod images;
mod inheriting;
mod opened;

use std::{collections::BTreeMap, path::PathBuf};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokenrig_runner::{Foundation, Site, World, WorldFault, WorldName};

pub use crate::{
    images::Images,
    inheriting::RigSite,
    opened::{Place, builder, open},
};

/// What a rig and its clients get from outside: the environment of whoever called, where real clients were installed, and
/// who runs images.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    /// All variables that a command is started with, before the rig's are set.
    pub variables: Vec<(String, String)>,
    /// By need (`python`), the folders in which its programs are found first.
    pub programs: BTreeMap<String, Vec<PathBuf>>,
    /// Whether a well-known credentials file lies where clients would find it: they then get a key of the owner.
    pub well_known_credentials: bool,
    /// Who makes workloads of `{image: REF}`.
    pub images: Images,
}

/// The world of rigs.
#[derive(Debug, Clone)]
pub struct Offline {
    inherited: Inherited,
}

impl Offline {
    /// A world whose commands start with what is inherited.
    #[must_use]
    pub fn new(inherited: Inherited) -> Self {
        Self { inherited }
    }
}

impl World for Offline {
    fn kind(&self) -> WorldName {
        WorldName::Offline
    }

    fn offers(&self, need: &str) -> Result<(), String> {
        match need {
            "echo" => Ok(()),
            "python" | "node" | "go" | "java" if self.inherited.programs.contains_key(need) => Ok(()),
            "python" | "node" | "go" | "java" => {
                Err(format!("it is not installed; `cargo xtask conformance {need}` does it"))
            }
            "gcloud" if self.inherited.programs.contains_key(need) => Ok(()),
            "gcloud" => Err("no `gcloud` is found".to_owned()),
            "docker" => self.inherited.images.offered(),
            "saml" => Err("SAML is not played yet".to_owned()),
            "netns" => Err("commands of scenarios go by proxies alone; `exec --route netns` goes by names".to_owned()),
            _ => Err("nobody knows what that is".to_owned()),
        }
    }

    fn open(&self, foundation: Foundation) -> BoxFuture<'_, Result<Box<dyn Site>, WorldFault>> {
        async move {
            let rig = open(&foundation, Place::Case).await?;
            Ok(Box::new(RigSite::new(rig, self.inherited.clone())) as Box<dyn Site>)
        }
        .boxed()
    }
}
