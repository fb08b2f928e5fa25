//! Providers of workload identity pools.

use serde_json::json;
use tokenrig_cloud::{Oidc as KeptOidc, OrgRule, PoolState, Provider as Kept, ProviderConfig as KeptConfig};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::longrunning::Operation,
    tokenrig::iam::v1::{
        CreateWorkloadIdentityPoolProviderRequest, DeleteWorkloadIdentityPoolProviderRequest,
        GetWorkloadIdentityPoolProviderRequest, ListWorkloadIdentityPoolProvidersRequest,
        ListWorkloadIdentityPoolProvidersResponse, UndeleteWorkloadIdentityPoolProviderRequest,
        UpdateWorkloadIdentityPoolProviderRequest, WorkloadIdentityPoolProvider as Provider,
        WorkloadIdentityPoolProviderOperationMetadata as Metadata,
        workload_identity_pool_provider::{Aws, Oidc, ProviderConfig, Saml, State},
    },
};
use tokenrig_wire::{Api, Call, merge, with};

use super::{
    Admin, field, need,
    org_policies::ISSUERS,
    paged,
    pools::{ID_RULE, permit, pool_name, refused, unknown},
    provider_rules::{ID, rules},
    refuse, timestamp,
};
use crate::{
    model::{PoolName, is_pool_id},
    refusals,
};

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.projects.locations.workloadIdentityPools.providers.create", with(admin, Admin::create_provider))
        .on("iam.projects.locations.workloadIdentityPools.providers.get", with(admin, Admin::get_provider))
        .on("iam.projects.locations.workloadIdentityPools.providers.list", with(admin, Admin::list_providers))
        .on("iam.projects.locations.workloadIdentityPools.providers.patch", with(admin, Admin::patch_provider))
        .on("iam.projects.locations.workloadIdentityPools.providers.delete", with(admin, Admin::delete_provider))
        .on("iam.projects.locations.workloadIdentityPools.providers.undelete", with(admin, Admin::undelete_provider))
        .on("iam.projects.locations.workloadIdentityPools.providers.operations.get", with(admin, Admin::get_operation))
}

impl Admin {
    fn create_provider(
        &self,
        call: &Call,
        request: CreateWorkloadIdentityPoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let parent = pool_name(call, &request.parent, false)?;
        permit(call, "iam.workloadIdentityPoolProviders.create", &parent.resource())?;
        let id = request.workload_identity_pool_provider_id;
        call.check(field(ID, "workload_identity_pool_provider_id", ID_RULE, is_pool_id(&id)).found(id.as_str()))?;
        let told = request.workload_identity_pool_provider.unwrap_or_default();
        rules(call, self.settings(), &told)?;
        self.issuer_allowed(call, &told, &parent)?;
        let pool = need(call, parent.reference(self.cloud()), |check| unknown(check, &request.parent), "resource")?;
        let holder = need(call, self.cloud().pools().get(&pool), |check| unknown(check, &request.parent), "resource")?;
        let mut new = Kept::named(holder, id);
        write(&mut new, told);
        let made = self.cloud().pools().create_provider(&pool, new).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&made.name(), &Metadata {}, &told_provider(&made)))
    }

    fn get_provider(&self, call: &Call, request: GetWorkloadIdentityPoolProviderRequest) -> Result<Provider, Refused> {
        let found = self.provider(call, "iam.workloadIdentityPoolProviders.get", &request.name)?;
        Ok(told_provider(&found))
    }

    fn list_providers(
        &self,
        call: &Call,
        request: ListWorkloadIdentityPoolProvidersRequest,
    ) -> Result<ListWorkloadIdentityPoolProvidersResponse, Refused> {
        let parent = pool_name(call, &request.parent, false)?;
        permit(call, "iam.workloadIdentityPoolProviders.list", &parent.resource())?;
        let pool = parent.reference(self.cloud()).filter(|pool| self.cloud().pools().get(pool).is_some());
        let pool = need(call, pool, |check| unknown(check, &request.parent), "resource")?;
        let all = self.cloud().pools().providers(&pool, request.show_deleted);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |provider| provider.id.as_str(), asked, (50, 100))?;
        Ok(ListWorkloadIdentityPoolProvidersResponse {
            workload_identity_pool_providers: page.items.iter().map(told_provider).collect(),
            next_page_token: page.next,
        })
    }

    fn patch_provider(
        &self,
        call: &Call,
        request: UpdateWorkloadIdentityPoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let told = request.workload_identity_pool_provider.unwrap_or_default();
        let provider = self.provider(call, "iam.workloadIdentityPoolProviders.update", &told.name)?;
        let current = told_provider(&provider);
        let merged = merge(&current, &told, request.update_mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a provider" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        let merged = merged.unwrap_or(current);
        rules(call, self.settings(), &merged)?;
        let named = pool_name(call, &told.name, true)?;
        self.issuer_allowed(call, &merged, &named)?;
        let pool = provider.pool.reference.clone();
        let changed = self.cloud().pools().update_provider(&pool, &provider.id, |kept| write(kept, merged));
        let changed = changed.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&changed.name(), &Metadata {}, &told_provider(&changed)))
    }

    fn delete_provider(
        &self,
        call: &Call,
        request: DeleteWorkloadIdentityPoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let found = self.provider(call, "iam.workloadIdentityPoolProviders.delete", &request.name)?;
        let deleted = self.cloud().pools().delete_provider(&found.pool.reference, &found.id);
        let deleted = deleted.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&deleted.name(), &Metadata {}, &told_provider(&deleted)))
    }

    fn undelete_provider(
        &self,
        call: &Call,
        request: UndeleteWorkloadIdentityPoolProviderRequest,
    ) -> Result<Operation, Refused> {
        let found = self.provider(call, "iam.workloadIdentityPoolProviders.undelete", &request.name)?;
        let restored = self.cloud().pools().undelete_provider(&found.pool.reference, &found.id);
        let restored = restored.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&restored.name(), &Metadata {}, &told_provider(&restored)))
    }

    /// The organization must allow the issuer.
    fn issuer_allowed(&self, call: &Call, told: &Provider, name: &PoolName<'_>) -> Result<(), Refused> {
        let Some(ProviderConfig::Oidc(oidc)) = &told.provider_config else { return Ok(()) };
        let policies = self.cloud().org_policies();
        let pool = format!("projects/{}/locations/global/workloadIdentityPools/{}", name.project, name.pool);
        let resource = format!("//iam.googleapis.com/{pool}");
        if policies.allows(&resource, ISSUERS, &oidc.issuer_uri) {
            return Ok(());
        }
        let expected = policies.rules(&resource, ISSUERS).into_iter().map(|rule| match rule {
            OrgRule::Values { allowed, denied } => json!({ "allowedValues": allowed, "deniedValues": denied }),
            OrgRule::AllowAll => json!({ "allowAll": true }),
            OrgRule::DenyAll => json!({ "denyAll": true }),
            OrgRule::Enforce(enforce) => json!({ "enforce": enforce }),
        });
        let check = Check::named("resource")
            .expected(expected.collect::<Vec<_>>())
            .found(oidc.issuer_uri.as_str())
            .holds(false)
            .or_refuse(&refusals::ISSUER_NOT_ALLOWED, "wif-provider-issuer-not-allowed")
            .with("issuer", &oidc.issuer_uri)
            .with("pool", pool)
            .mend(|| format!("add the issuer to the organization policy `{ISSUERS}`"));
        Err(refuse(call, check))
    }

    /// A provider that must be there, deleted or not, after the caller's permission on it was asked.
    fn provider(&self, call: &Call, permission: &str, name: &str) -> Result<Kept, Refused> {
        let parsed = pool_name(call, name, true)?;
        permit(call, permission, &parsed.resource())?;
        let pool = parsed.reference(self.cloud());
        let found = pool.zip(parsed.provider).and_then(|(pool, id)| self.cloud().pools().provider(&pool, id));
        need(call, found, |check| unknown(check, name), "resource")
    }
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
            kept.config = KeptConfig::Oidc(KeptOidc {
                issuer_uri: oidc.issuer_uri,
                allowed_audiences: oidc.allowed_audiences,
                jwks_json: oidc.jwks_json,
                web_sign_in: None,
            });
        }
        Some(ProviderConfig::Aws(aws)) => kept.config = KeptConfig::Aws { account_id: aws.account_id },
        Some(ProviderConfig::Saml(saml)) => kept.config = KeptConfig::Saml { idp_metadata_xml: saml.idp_metadata_xml },
        Some(ProviderConfig::X509(_)) | None => {}
    }
}

/// The provider as Google tells it.
fn told_provider(provider: &Kept) -> Provider {
    let (state, expire_time) = match provider.state {
        PoolState::Active => (State::Active, None),
        PoolState::Deleted { expires } => (State::Deleted, Some(timestamp(expires))),
    };
    let config = match &provider.config {
        KeptConfig::Oidc(oidc) => ProviderConfig::Oidc(Oidc {
            issuer_uri: oidc.issuer_uri.clone(),
            allowed_audiences: oidc.allowed_audiences.clone(),
            jwks_json: oidc.jwks_json.clone(),
        }),
        KeptConfig::Aws { account_id } => ProviderConfig::Aws(Aws { account_id: account_id.clone() }),
        KeptConfig::Saml { idp_metadata_xml } => {
            ProviderConfig::Saml(Saml { idp_metadata_xml: idp_metadata_xml.clone() })
        }
    };
    Provider {
        name: provider.name(),
        display_name: provider.display_name.clone(),
        description: provider.description.clone(),
        state: state.into(),
        disabled: provider.disabled,
        attribute_mapping: provider.attribute_mapping.iter().cloned().collect(),
        attribute_condition: provider.attribute_condition.clone(),
        expire_time,
        provider_config: Some(config),
    }
}
