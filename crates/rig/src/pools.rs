//! Identity pools and their providers, as a given document has them.

use serde_json::{Map, Value, json};
use tokenrig_cloud::{Cloud, IdentityPool, Oidc, PoolState, Provider, ProviderConfig, WebSignIn};

use crate::state::{put, text, told_policy};

/// The workload pools of the rig's project.
pub(crate) fn of_workloads(cloud: &Cloud) -> Map<String, Value> {
    let pools = cloud.pools().list(&cloud.project().number, false);
    pools.iter().map(|pool| (pool.id().to_owned(), Value::Object(told_pool(cloud, pool)))).collect()
}

/// The workforce pools of the organization, if there is one.
pub(crate) fn of_workforce(cloud: &Cloud) -> Map<String, Value> {
    let Some(organization) = cloud.organization() else { return Map::new() };
    let pools = cloud.pools().list_workforce(&format!("organizations/{organization}"), false);
    let told = pools.iter().map(|pool| {
        let mut told = told_pool(cloud, pool);
        let workforce = pool.workforce.clone().unwrap_or_default();
        let services = workforce.allowed_services.iter().map(|domain| json!({ "domain": domain }));
        let services: Vec<Value> = services.collect();
        let mut restrictions = Map::new();
        if !services.is_empty() {
            restrictions.insert("allowedServices".to_owned(), json!(services));
        }
        if workforce.programmatic_sign_in_disabled {
            restrictions.insert("disableProgrammaticSignin".to_owned(), json!(true));
        }
        put(&mut told, "accessRestrictions", restrictions);
        (pool.id().to_owned(), Value::Object(told))
    });
    told.collect()
}

fn told_pool(cloud: &Cloud, pool: &IdentityPool) -> Map<String, Value> {
    let providers = cloud.pools().providers(&pool.reference, false);
    let providers = providers.into_iter().filter(|provider| provider.state == PoolState::Active);
    let providers: Map<String, Value> = providers.map(|one| (one.id.clone(), provider(&one))).collect();
    let mut told = Map::new();
    text(&mut told, "displayName", &pool.display_name);
    text(&mut told, "description", &pool.description);
    if pool.disabled {
        told.insert("disabled".to_owned(), json!(true));
    }
    if let Some(session) = pool.session_duration {
        told.insert("sessionDuration".to_owned(), json!(format!("{}s", session.as_secs())));
    }
    put(&mut told, "providers", providers);
    let resource = format!("//iam.googleapis.com/{}", pool.name());
    if let Some(policy) = told_policy(&cloud.policies().get(&resource)) {
        told.insert("iamPolicy".to_owned(), policy);
    }
    told
}

fn provider(provider: &Provider) -> Value {
    let mut told = Map::new();
    text(&mut told, "displayName", &provider.display_name);
    text(&mut told, "description", &provider.description);
    if provider.disabled {
        told.insert("disabled".to_owned(), json!(true));
    }
    match &provider.config {
        ProviderConfig::Oidc(oidc) => {
            told.insert("oidc".to_owned(), Value::Object(told_oidc(oidc)));
        }
        ProviderConfig::Aws { account_id } => {
            told.insert("aws".to_owned(), json!({ "accountId": account_id }));
        }
        ProviderConfig::Saml { idp_metadata_xml } => {
            told.insert("saml".to_owned(), json!({ "idpMetadataXml": idp_metadata_xml }));
        }
    }
    let mapping = provider.attribute_mapping.iter().map(|(name, expression)| (name.clone(), json!(expression)));
    put(&mut told, "attributeMapping", mapping.collect());
    text(&mut told, "attributeCondition", &provider.attribute_condition);
    Value::Object(told)
}

fn told_oidc(oidc: &Oidc) -> Map<String, Value> {
    let mut fields = Map::new();
    text(&mut fields, "issuerUri", &oidc.issuer_uri);
    match &oidc.web_sign_in {
        None if oidc.allowed_audiences.is_empty() => {}
        None => {
            fields.insert("allowedAudiences".to_owned(), json!(oidc.allowed_audiences));
        }
        Some(web) => {
            text(&mut fields, "clientId", oidc.allowed_audiences.first().map_or("", String::as_str));
            if !web.secret_thumbprint.is_empty() {
                let value = json!({ "value": { "thumbprint": web.secret_thumbprint } });
                fields.insert("clientSecret".to_owned(), value);
            }
            fields.insert("webSsoConfig".to_owned(), Value::Object(told_web(web)));
        }
    }
    text(&mut fields, "jwksJson", &oidc.jwks_json);
    fields
}

fn told_web(web: &WebSignIn) -> Map<String, Value> {
    let mut fields = Map::new();
    text(&mut fields, "responseType", &web.response_type);
    text(&mut fields, "assertionClaimsBehavior", &web.claims_behavior);
    if !web.additional_scopes.is_empty() {
        fields.insert("additionalScopes".to_owned(), json!(web.additional_scopes));
    }
    fields
}
