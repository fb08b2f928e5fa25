//! Providers of workforce pools.

use std::collections::BTreeMap;

use serde_json::json;
use tokenrig_cloud::{Oidc as KeptOidc, PoolState, Provider as Kept, ProviderConfig as KeptConfig, WebSignIn};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::longrunning::Operation,
    tokenrig::iam::admin::v1::{
        CreateWorkforcePoolProviderRequest, DeleteWorkforcePoolProviderRequest, GetWorkforcePoolProviderRequest,
        ListWorkforcePoolProvidersRequest, ListWorkforcePoolProvidersResponse, UndeleteWorkforcePoolProviderRequest,
        UpdateWorkforcePoolProviderRequest, WorkforcePoolProvider as Provider,
        WorkforcePoolProviderOperationMetadata as Metadata,
        workforce_pool_provider::{
            ClientSecret, Oidc, ProviderConfig, Saml, State, WebSsoConfig,
            client_secret::Value,
            web_sso_config::{AssertionClaimsBehavior, ResponseType},
        },
    },
};
use tokenrig_wire::{Api, Call, merge, with};

use super::{
    Admin, field, need, paged,
    pools::{ID_RULE, permit, refused, texts, unknown},
    provider_rules::{condition, issuer, jwks, mapping, metadata},
    timestamp,
    workforce_pools::workforce_name,
};
use crate::{assumptions::Settings, model::is_pool_id, refusals};

const ID: &str = "workforce-provider-field-invalid";
/// What can be mapped beside `attribute.NAME`.
const GOOGLE_ATTRIBUTES: &[&str] = &[
    "google.subject",
    "google.groups",
    "google.display_name",
    "google.profile_photo",
    "google.posix_username",
    "google.email",
];
const MOST_SCOPES: usize = 10;
const LONGEST_SCOPE: usize = 256;

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.locations.workforcePools.providers.create", with(admin, Admin::create_workforce_provider))
        .on("iam.locations.workforcePools.providers.get", with(admin, Admin::get_workforce_provider))
        .on("iam.locations.workforcePools.providers.list", with(admin, Admin::list_workforce_providers))
        .on("iam.locations.workforcePools.providers.patch", with(admin, Admin::patch_workforce_provider))
        .on("iam.locations.workforcePools.providers.delete", with(admin, Admin::delete_workforce_provider))
        .on("iam.locations.workforcePools.providers.undelete", with(admin, Admin::undelete_workforce_provider))
        .on("iam.locations.workforcePools.providers.operations.get", with(admin, Admin::get_operation))
}

impl Admin {
    fn create_workforce_provider(
        &self,
        call: &Call,
        request: CreateWorkforcePoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let parent = workforce_name(call, &request.parent, false)?;
        permit(call, "iam.workforcePoolProviders.create", &parent.resource())?;
        let id = request.workforce_pool_provider_id;
        call.check(field(ID, "workforce_pool_provider_id", ID_RULE, is_pool_id(&id)).found(id.as_str()))?;
        let told = self.without_secret(request.workforce_pool_provider.unwrap_or_default());
        rules(call, self.settings(), &told)?;
        let pool = self.cloud().pools().get(&parent.pool);
        let pool = need(call, pool, |check| unknown(check, &request.parent), "resource")?;
        let mut new = Kept::named(pool, id);
        write(&mut new, told);
        let made = self.cloud().pools().create_provider(&parent.pool, new).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&made.name(), &Metadata {}, &told_provider(&made)))
    }

    fn get_workforce_provider(
        &self,
        call: &Call,
        request: GetWorkforcePoolProviderRequest,
    ) -> Result<Provider, Refused> {
        let found = self.workforce_provider(call, "iam.workforcePoolProviders.get", &request.name)?;
        Ok(told_provider(&found))
    }

    fn list_workforce_providers(
        &self,
        call: &Call,
        request: ListWorkforcePoolProvidersRequest,
    ) -> Result<ListWorkforcePoolProvidersResponse, Refused> {
        let parent = workforce_name(call, &request.parent, false)?;
        permit(call, "iam.workforcePoolProviders.list", &parent.resource())?;
        let pool = self.cloud().pools().get(&parent.pool);
        need(call, pool, |check| unknown(check, &request.parent), "resource")?;
        let all = self.cloud().pools().providers(&parent.pool, request.show_deleted);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |provider| provider.id.as_str(), asked, (50, 100))?;
        Ok(ListWorkforcePoolProvidersResponse {
            workforce_pool_providers: page.items.iter().map(told_provider).collect(),
            next_page_token: page.next,
        })
    }

    fn patch_workforce_provider(
        &self,
        call: &Call,
        request: UpdateWorkforcePoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let told = self.without_secret(request.workforce_pool_provider.unwrap_or_default());
        let provider = self.workforce_provider(call, "iam.workforcePoolProviders.update", &told.name)?;
        let current = told_provider(&provider);
        let merged = merge(&current, &told, request.update_mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a workforce pool provider" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        let merged = merged.unwrap_or(current);
        rules(call, self.settings(), &merged)?;
        let pool = provider.pool.reference.clone();
        let changed = self.cloud().pools().update_provider(&pool, &provider.id, |kept| write(kept, merged));
        let changed = changed.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&changed.name(), &Metadata {}, &told_provider(&changed)))
    }

    fn delete_workforce_provider(
        &self,
        call: &Call,
        request: DeleteWorkforcePoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let found = self.workforce_provider(call, "iam.workforcePoolProviders.delete", &request.name)?;
        let deleted = self.cloud().pools().delete_provider(&found.pool.reference, &found.id);
        let deleted = deleted.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&deleted.name(), &Metadata {}, &told_provider(&deleted)))
    }

    fn undelete_workforce_provider(
        &self,
        call: &Call,
        request: UndeleteWorkforcePoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let found = self.workforce_provider(call, "iam.workforcePoolProviders.undelete", &request.name)?;
        let restored = self.cloud().pools().undelete_provider(&found.pool.reference, &found.id);
        let restored = restored.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&restored.name(), &Metadata {}, &told_provider(&restored)))
    }

    /// A provider with the thumbprint of its client's secret in place of the secret, which nobody needs any more: the
    /// browser's way is not played.
    fn without_secret(&self, mut told: Provider) -> Provider {
        if let Some(ProviderConfig::Oidc(oidc)) = &mut told.provider_config
            && let Some(value) = oidc.client_secret.as_mut().and_then(|secret| secret.value.as_mut())
            && !value.plain_text.is_empty()
        {
            value.thumbprint = self.cloud().derived_hex("client secret", &std::mem::take(&mut value.plain_text));
        }
        told
    }

    /// A provider that must be there, deleted or not, after the caller's permission on it was asked.
    fn workforce_provider(&self, call: &Call, permission: &str, name: &str) -> Result<Kept, Refused> {
        let parsed = workforce_name(call, name, true)?;
        permit(call, permission, &parsed.resource())?;
        let found = parsed.provider.and_then(|id| self.cloud().pools().provider(&parsed.pool, id));
        need(call, found, |check| unknown(check, name), "resource")
    }
}

/// All rules of a provider; the first that fails gives the answer.
fn rules(call: &Call, settings: &Settings, told: &Provider) -> Result<(), Refused> {
    texts(call, ID, &told.display_name, &told.description)?;
    match &told.provider_config {
        Some(ProviderConfig::Oidc(oidc)) => oidc_rules(call, settings, oidc)?,
        Some(ProviderConfig::Saml(saml)) => metadata(call, ID, &saml.idp_metadata_xml)?,
        None => call.check(field(ID, "provider_config", "one of `oidc` and `saml` must be there", false))?,
    }
    mapping(call, &told.attribute_mapping, GOOGLE_ATTRIBUTES, false)?;
    condition(call, &told.attribute_condition).map(drop)
}

fn oidc_rules(call: &Call, settings: &Settings, oidc: &Oidc) -> Result<(), Refused> {
    issuer(call, &oidc.issuer_uri)?;
    let client = !oidc.client_id.is_empty();
    call.check(field(ID, "oidc.client_id", "it is required", client).found(oidc.client_id.as_str()))?;
    if !oidc.jwks_json.is_empty() {
        jwks(call, settings, ID, &oidc.jwks_json)?;
    }
    let sso = oidc.web_sso_config.clone().unwrap_or_default();
    let (response, claims) = (sso.response_type(), sso.assertion_claims_behavior());
    let told = response != ResponseType::Unspecified && claims != AssertionClaimsBehavior::Unspecified;
    call.check(
        Check::named("request")
            .expected("`oidc.webSsoConfig` with `responseType` and `assertionClaimsBehavior`")
            .found(json!({
                "responseType": response.as_str_name(), "assertionClaimsBehavior": claims.as_str_name(),
            }))
            .holds(told)
            .or_refuse(&refusals::WEB_SSO_MISSING, "workforce-provider-missing-web-sso-config")
            .mend(|| {
                "set `oidc.webSsoConfig`, for example to `responseType: ID_TOKEN` and `assertionClaimsBehavior: \
                 ONLY_ID_TOKEN_CLAIMS`"
                    .to_owned()
            }),
    )?;
    let by_code = response == ResponseType::Code;
    let secret = thumbprint(oidc).is_some();
    let what = "a client secret is needed where `webSsoConfig.responseType` is CODE";
    call.check(field(ID, "oidc.client_secret", what, secret || !by_code).found(secret))?;
    let merges = claims == AssertionClaimsBehavior::MergeUserInfoOverIdTokenClaims;
    let what = "claims of the user info are had by a code: `webSsoConfig.responseType` must be CODE";
    call.check(field(ID, "oidc.web_sso_config.assertion_claims_behavior", what, by_code || !merges))?;
    let scopes = &sso.additional_scopes;
    let good = scopes.len() <= MOST_SCOPES && scopes.iter().all(|scope| scope.chars().count() <= LONGEST_SCOPE);
    let what = "at most 10 scopes of at most 256 characters";
    call.check(field(ID, "oidc.web_sso_config.additional_scopes", what, good).found(scopes.len()))
}

/// The thumbprint of the client's secret, if there is one.
fn thumbprint(oidc: &Oidc) -> Option<&str> {
    let value = oidc.client_secret.as_ref()?.value.as_ref()?;
    Some(value.thumbprint.as_str()).filter(|thumbprint| !thumbprint.is_empty())
}

/// What the caller may say of a provider; `rules` has passed it.
fn write(kept: &mut Kept, told: Provider) {
    kept.display_name = told.display_name;
    kept.description = told.description;
    kept.disabled = told.disabled;
    kept.attribute_mapping = told.attribute_mapping.into_iter().collect();
    kept.attribute_condition = told.attribute_condition;
    match told.provider_config {
        Some(ProviderConfig::Oidc(oidc)) => {
            let secret_thumbprint = thumbprint(&oidc).unwrap_or_default().to_owned();
            let sso = oidc.web_sso_config.unwrap_or_default();
            kept.config = KeptConfig::Oidc(KeptOidc {
                issuer_uri: oidc.issuer_uri,
                allowed_audiences: vec![oidc.client_id],
                jwks_json: oidc.jwks_json,
                web_sign_in: Some(WebSignIn {
                    secret_thumbprint,
                    response_type: sso.response_type().as_str_name().to_owned(),
                    claims_behavior: sso.assertion_claims_behavior().as_str_name().to_owned(),
                    additional_scopes: sso.additional_scopes,
                }),
            });
        }
        Some(ProviderConfig::Saml(saml)) => kept.config = KeptConfig::Saml { idp_metadata_xml: saml.idp_metadata_xml },
        None => {}
    }
}

/// The provider as Google tells it.
fn told_provider(provider: &Kept) -> Provider {
    let (state, expire_time) = match provider.state {
        PoolState::Active => (State::Active, None),
        PoolState::Deleted { expires } => (State::Deleted, Some(timestamp(expires))),
    };
    let config = match &provider.config {
        KeptConfig::Oidc(oidc) => Some(ProviderConfig::Oidc(told_oidc(oidc))),
        KeptConfig::Saml { idp_metadata_xml } => {
            Some(ProviderConfig::Saml(Saml { idp_metadata_xml: idp_metadata_xml.clone() }))
        }
        // No workforce pool has such a provider.
        KeptConfig::Aws { .. } => None,
    };
    Provider {
        name: provider.name(),
        display_name: provider.display_name.clone(),
        description: provider.description.clone(),
        state: state.into(),
        disabled: provider.disabled,
        attribute_mapping: provider.attribute_mapping.iter().cloned().collect::<BTreeMap<_, _>>(),
        attribute_condition: provider.attribute_condition.clone(),
        expire_time,
        provider_config: config,
    }
}

fn told_oidc(oidc: &KeptOidc) -> Oidc {
    let web = oidc.web_sign_in.clone().unwrap_or_default();
    let thumbprint = Some(web.secret_thumbprint).filter(|thumbprint| !thumbprint.is_empty());
    Oidc {
        issuer_uri: oidc.issuer_uri.clone(),
        client_id: oidc.allowed_audiences.first().cloned().unwrap_or_default(),
        client_secret: thumbprint
            .map(|thumbprint| ClientSecret { value: Some(Value { plain_text: String::new(), thumbprint }) }),
        web_sso_config: Some(WebSsoConfig {
            response_type: ResponseType::from_str_name(&web.response_type).unwrap_or_default().into(),
            assertion_claims_behavior: AssertionClaimsBehavior::from_str_name(&web.claims_behavior)
                .unwrap_or_default()
                .into(),
            additional_scopes: web.additional_scopes,
        }),
        jwks_json: oidc.jwks_json.clone(),
    }
}
