//! Downscoping: an access token in, one that permits less out.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_cloud::{Issued, TokenKind};
use tokenrig_decision::{Check, Decision};
use tokenrig_policy::AccessBoundary;

use super::{FederatedToken, Sts};
use crate::{model::TokenRequest, refusals};

/// Why an access token cannot be downscoped: the refusal's id, what it is, and what to do instead.
struct Unfit {
    id: &'static str,
    found: Value,
    mend: String,
}

impl Sts {
    /// A token within a boundary, for an access token of a user or service account. It ends with the token that it is made
    /// of, whose end the client knows: the answer has no `expires_in`.
    pub(super) fn downscope(
        &self,
        decision: &mut Decision,
        request: &TokenRequest,
        boundary: AccessBoundary,
    ) -> Option<FederatedToken> {
        let check = Check::named("token").expected("an access token of a user or service account, not yet downscoped");
        match self.source(request.subject().unwrap_or_default()) {
            Ok((source, member)) => {
                decision.add(check.found(member));
                let token = self.cloud.mint().downscoped(&source, boundary);
                Some(FederatedToken { access_token: token.reveal().to_owned(), expires_in: None })
            }
            Err(Unfit { id, found, mend }) => {
                let check = check.found(found).holds(false);
                decision.add(check.or_refuse(&refusals::TOKEN_NOT_DOWNSCOPABLE, id).mend(|| mend));
                None
            }
        }
    }

    /// The token to downscope as it was issued, and whom it stands for.
    fn source(&self, token: &str) -> Result<(Arc<Issued>, String), Unfit> {
        let unfit = |id, found: String, mend: &str| Unfit { id, found: json!(found), mend: mend.to_owned() };
        let good = "send an access token of a user or service account, for example of `generateAccessToken`";
        let unknown = |found| unfit("sts-downscope-token-invalid", found, good);
        let caller = self.cloud.caller(token).map_err(|fault| unknown(fault.to_string()))?;
        let issued = self.cloud.mint().issued(token).ok_or_else(|| unknown("no access token of the rig".to_owned()))?;
        let member = caller.identity.member().to_string();
        if caller.kind == TokenKind::Federated {
            let found = format!("{member}, a federated access token");
            let mend = "impersonate a service account, and downscope its access token";
            return Err(unfit("sts-downscope-token-federated", found, mend));
        }
        if caller.boundary.is_some() {
            let found = format!("{member}, an access token that is downscoped");
            let mend = "downscope the token that this one was made of, by one boundary that says it all";
            return Err(unfit("sts-downscope-token-restricted", found, mend));
        }
        Ok((issued, member))
    }
}
