//! generateAccessToken and generateIdToken.

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, seconds};
use tokenrig_cloud::{AccessTokenOrder, Azp, IdTokenOrder, is_oauth_scope};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::iam::credentials::v1::{
        GenerateAccessTokenRequest, GenerateAccessTokenResponse, GenerateIdTokenRequest, GenerateIdTokenResponse,
    },
    prost_types::Timestamp,
};
use tokenrig_wire::Call;

use super::{IamCredentials, chain::Needs, demand};
use crate::{
    model::{CLOUD_PLATFORM, lifetime},
    refusals,
};

const GET_ACCESS_TOKEN: Needs =
    Needs { permission: "iam.serviceAccounts.getAccessToken", denied: "iamcredentials-getaccesstoken-denied" };
const GET_OPEN_ID_TOKEN: Needs =
    Needs { permission: "iam.serviceAccounts.getOpenIdToken", denied: "iamcredentials-getopenidtoken-denied" };

impl IamCredentials {
    pub(super) fn generate_access_token(
        &self,
        call: &Call,
        request: GenerateAccessTokenRequest,
    ) -> Result<GenerateAccessTokenResponse, Refused> {
        let way = Self::way(call, &request.name, &request.delegates)?;
        let scopes = call.check(check_scopes(&request.scope));
        let lifetime = lifetime(request.lifetime.as_ref());
        let lived = call.check(self.check_lifetime(lifetime, &request.name));
        let account = self.act_as(call, &way, &GET_ACCESS_TOKEN);
        let account = scopes.and(lived).and(account)?;
        // An empty scope is the whole of Google Cloud.
        let named = request.scope.into_iter().map(|scope| if scope.is_empty() { CLOUD_PLATFORM.into() } else { scope });
        let order = AccessTokenOrder { identity: account.identity(), scopes: named.collect(), lifetime };
        let token = self.cloud.mint().access_token(order);
        Ok(GenerateAccessTokenResponse {
            access_token: token.reveal().to_owned(),
            expire_time: Some(Timestamp { seconds: token.expires_at().as_second(), nanos: 0 }),
        })
    }

    pub(super) fn generate_id_token(
        &self,
        call: &Call,
        request: GenerateIdTokenRequest,
    ) -> Result<GenerateIdTokenResponse, Refused> {
        let way = Self::way(call, &request.name, &request.delegates)?;
        let audience = call.check(demand(
            !request.audience.is_empty(),
            "iamcredentials-audience-missing",
            "an `audience`",
            request.audience.as_str(),
        ));
        let account = self.act_as(call, &way, &GET_OPEN_ID_TOKEN);
        let account = audience.and(account)?;
        let mut order = IdTokenOrder::generated(&account, request.audience, request.include_email);
        if request.use_email_azp {
            order.azp = Azp::Email;
        }
        if request.organization_number_included {
            order = order.with_google("organization_number", self.organization_number());
        }
        Ok(GenerateIdTokenResponse { token: self.cloud.mint().id_token(&order) })
    }

    fn check_lifetime(&self, asked: SignedDuration, name: &str) -> Check {
        let longest = self.settings.longest_lifetime;
        let check = Check::named("request")
            .expected(format!("a `lifetime` of 1 s to {} s", longest.as_secs()))
            .found(format!("{}s", asked.as_secs()));
        if asked < seconds(1) {
            return check
                .holds(false)
                .or_refuse(&refusals::LIFETIME_ZERO, "iamcredentials-lifetime-zero")
                .mend(|| "ask for a `lifetime` of a second at least".to_owned());
        }
        check
            .holds(asked <= longest)
            .or_refuse(&refusals::LIFETIME_OVER_HOUR, "iamcredentials-lifetime-over-hour")
            .with("account", name.rsplit('/').next().unwrap_or_default())
            .mend(|| format!("ask for a `lifetime` of {} s at most", longest.as_secs()))
    }

    fn organization_number(&self) -> Value {
        let number = self.cloud.organization().and_then(|number| number.parse::<u64>().ok());
        number.map_or(Value::Null, Value::from)
    }
}

/// At least one scope, and nothing that is none; an empty text stands for cloud-platform.
fn check_scopes(scopes: &[String]) -> Check {
    let missing = demand(!scopes.is_empty(), "iamcredentials-scope-missing", "at least one `scope`", json!(scopes));
    if !missing.ok() {
        return missing;
    }
    let bogus = scopes.iter().find(|scope| !scope.is_empty() && !is_oauth_scope(scope));
    Check::named("request")
        .expected("OAuth scopes in `scope`")
        .found(json!(scopes))
        .holds(bogus.is_none())
        .or_refuse(&refusals::SCOPE_BOGUS, "iamcredentials-scope-bogus")
        .mend(|| format!("`{}` is no OAuth scope; one is {CLOUD_PLATFORM}", bogus.cloned().unwrap_or_default()))
}
