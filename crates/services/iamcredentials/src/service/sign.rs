//! signBlob and signJwt.

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::iam::credentials::v1::{
    SignBlobRequest, SignBlobResponse, SignJwtRequest, SignJwtResponse,
};
use tokenrig_wire::Call;

use super::{IamCredentials, chain::Needs};
use crate::{
    model::{PayloadFault, payload},
    refusals,
};

const SIGN_BLOB: Needs = Needs { permission: "iam.serviceAccounts.signBlob", denied: "iamcredentials-signblob-denied" };
const SIGN_JWT: Needs = Needs { permission: "iam.serviceAccounts.signJwt", denied: "iamcredentials-signjwt-denied" };

impl IamCredentials {
    pub(super) fn sign_blob(&self, call: &Call, request: SignBlobRequest) -> Result<SignBlobResponse, Refused> {
        let way = Self::way(call, &request.name, &request.delegates)?;
        let account = self.act_as(call, &way, &SIGN_BLOB)?;
        let signed = self.cloud.mint().sign_as(&account, &request.payload);
        Ok(SignBlobResponse { key_id: signed.key_id, signed_blob: signed.signature })
    }

    pub(super) fn sign_jwt(&self, call: &Call, request: SignJwtRequest) -> Result<SignJwtResponse, Refused> {
        let way = Self::way(call, &request.name, &request.delegates)?;
        let claims = call.check(self.check_payload(call, &request.payload));
        let account = self.act_as(call, &way, &SIGN_JWT);
        let account = claims.and(account)?;
        let (key_id, signed_jwt) = self.cloud.mint().sign_jwt_as(&account, request.payload.as_bytes());
        Ok(SignJwtResponse { key_id, signed_jwt })
    }

    fn check_payload(&self, call: &Call, text: &str) -> Check {
        let longest = self.settings.longest_jwt;
        let fault = payload(text, call.now(), longest).err();
        let id = match fault {
            None | Some(PayloadFault::NotAnObject(_)) => "iamcredentials-jwt-payload-invalid",
            Some(_) => "iamcredentials-jwt-exp-invalid",
        };
        let told = fault.as_ref().map(ToString::to_string);
        Check::named("request")
            .expected(format!("a JSON object; `exp`, if there is one, at most {} h ahead", longest.as_hours()))
            .found(told.clone())
            .holds(fault.is_none())
            .or_refuse(&refusals::REQUEST_INVALID, id)
            .mend(|| told.unwrap_or_default())
    }
}
