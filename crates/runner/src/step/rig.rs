//! Calls of our own, which only a rig can answer.

use tokenrig_scenario::{RigCall, Span, Template};

use super::{Case, Done, Stop};
use crate::{evaluate::Fault, files::named};

impl Case<'_> {
    pub(super) async fn rig(&mut self, call: RigCall, with: Option<&Template>, span: Span) -> Result<Done, Stop> {
        let mut fields = match with {
            Some(with) => self.env.object(with)?,
            None => serde_json::Map::new(),
        };
        let mut text = |name: &str| {
            let value = fields.shift_remove(name);
            value.and_then(|value| value.as_str().map(str::to_owned)).ok_or_else(|| {
                Fault::new(with.map_or(span, |with| with.span), format!("`{}` needs `{name}`", call.word()))
            })
        };
        match call {
            RigCall::IssuersPatch => {
                let issuer = text("name")?;
                self.site.patch_issuer(&issuer, &fields).await?;
            }
            RigCall::ServicesPatch => {
                let service = text("name")?;
                let name = self.service(&service);
                let workload = fields.shift_remove("workload").unwrap_or_default();
                self.site.set_workload(&name, &workload).await?;
            }
            RigCall::KeysRotate => {
                let of = text("of")?;
                self.site.rotate_keys(&of).await?;
            }
        }
        Ok(Done::default())
    }

    /// The resource name of a given service, or the text as it is.
    pub(super) fn service(&self, id: &str) -> String {
        self.given("run.services", id).and_then(|service| named(&service, "name")).unwrap_or_else(|| id.to_owned())
    }
}
