//! Keys of service accounts.

use std::sync::Arc;

use tokenrig_cloud::{AccountFault, AccountKey, KeyOrigin, ServiceAccount as Account, UploadedKey};
use tokenrig_decision::{Check, Refused};
use tokenrig_jose::{Algorithm, PublicKey, x509};
use tokenrig_protos::{
    google::iam::admin::v1::{
        CreateServiceAccountKeyRequest, DeleteServiceAccountKeyRequest, DisableServiceAccountKeyRequest,
        EnableServiceAccountKeyRequest, GetServiceAccountKeyRequest, ListServiceAccountKeysRequest,
        ListServiceAccountKeysResponse, ServiceAccountKey, ServiceAccountKeyAlgorithm as KeyAlgorithm,
        ServiceAccountKeyOrigin, ServiceAccountPrivateKeyType as PrivateKeyType,
        ServiceAccountPublicKeyType as PublicKeyType, UploadServiceAccountKeyRequest,
        list_service_account_keys_request::KeyType,
    },
    prost_types,
};
use tokenrig_wire::{Api, Call, with};

use super::{
    Admin,
    accounts::named,
    field, need,
    org_policies::{NO_KEY_CREATION, NO_KEY_UPLOAD},
    refuse, timestamp, unplayed,
};
use crate::{model::AccountName, refusals};

const ID: &str = "iam-sa-key-invalid";

/// The header by which the rig's own set-up gives an uploaded key the id that it has in a credential file. Google has no
/// such header: there the id follows from the certificate.
const KEY_ID_HEADER: &str = "x-tokenrig-key-id";

/// How Google writes that a key ends never: 9999-12-31T23:59:59Z.
const FOR_EVER: i64 = 253_402_300_799;

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.projects.serviceAccounts.keys.create", with(admin, Admin::create_key))
        .on("iam.projects.serviceAccounts.keys.upload", with(admin, Admin::upload_key))
        .on("iam.projects.serviceAccounts.keys.list", with(admin, Admin::list_keys))
        .on("iam.projects.serviceAccounts.keys.get", with(admin, Admin::get_key))
        .on("iam.projects.serviceAccounts.keys.delete", with(admin, Admin::delete_key))
        .on("iam.projects.serviceAccounts.keys.disable", with(admin, Admin::disable_key))
        .on("iam.projects.serviceAccounts.keys.enable", with(admin, Admin::enable_key))
}

impl Admin {
    fn create_key(&self, call: &Call, request: CreateServiceAccountKeyRequest) -> Result<ServiceAccountKey, Refused> {
        let account = self.account(call, "iam.serviceAccountKeys.create", &request.name)?;
        self.unconstrained(call, NO_KEY_CREATION, &account.resource(), |check| {
            of_account(check.or_refuse(&refusals::KEY_CREATION_DISABLED, "iam-sa-key-creation-disabled"), &account)
        })?;
        if request.private_key_type() == PrivateKeyType::TypePkcs12File {
            return Err(unplayed(call, "keys in PKCS#12 files"));
        }
        if request.key_algorithm() == KeyAlgorithm::KeyAlgRsa1024 {
            return Err(unplayed(call, "RSA keys of 1024 bits"));
        }
        let created = self.cloud().accounts().create_key(&account).map_err(|fault| refused(call, &fault))?;
        let file = created.credential_file(&account);
        Ok(ServiceAccountKey {
            private_key_type: PrivateKeyType::TypeGoogleCredentialsFile.into(),
            private_key_data: file.into_bytes(),
            ..told_key(&account, &created.key)
        })
    }

    fn upload_key(&self, call: &Call, request: UploadServiceAccountKeyRequest) -> Result<ServiceAccountKey, Refused> {
        let account = self.account(call, "iam.serviceAccountKeys.create", &request.name)?;
        self.unconstrained(call, NO_KEY_UPLOAD, &account.resource(), |check| {
            of_account(check.or_refuse(&refusals::KEY_UPLOAD_DISABLED, "iam-sa-key-upload-disabled"), &account)
        })?;
        let text = std::str::from_utf8(&request.public_key_data).unwrap_or_default();
        let what = "it must be an X.509 certificate in PEM with an RSA key of at least 2048 bits";
        let read = x509::public_key_from_pem(text);
        let found = match &read {
            Ok(key) => format!("a key for {}", key.algorithm().name()),
            Err(fault) => fault.to_string(),
        };
        let public = read.ok().filter(|key| key.algorithm() == Algorithm::Rs256);
        let check = |check: Check| {
            check
                .expected(what)
                .found(found)
                .or_refuse(&refusals::FIELD_INVALID, ID)
                .with("field", "public_key_data")
                .with("what", what)
                .mend(|| "send base64 of the PEM text of a certificate".to_owned())
        };
        let public = need(call, public, check, "request")?;
        let id = call.headers().get(KEY_ID_HEADER).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let well_formed = |id: &str| id.len() == 40 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let holds = id.as_deref().is_none_or(well_formed);
        call.check(field(ID, KEY_ID_HEADER, "it must be 40 hexadecimal digits", holds).found(id.clone()))?;
        let new = UploadedKey { id, public, certificate: text.to_owned(), valid_before: None };
        let key = self.cloud().accounts().upload_key(&account, new).map_err(|fault| refused(call, &fault))?;
        Ok(told_key(&account, &key))
    }

    fn list_keys(
        &self,
        call: &Call,
        request: ListServiceAccountKeysRequest,
    ) -> Result<ListServiceAccountKeysResponse, Refused> {
        let account = self.account(call, "iam.serviceAccountKeys.list", &request.name)?;
        let wanted = |kind: KeyType| request.key_types.is_empty() || request.key_types().any(|asked| asked == kind);
        let mut keys = Vec::new();
        if wanted(KeyType::UserManaged) {
            keys.extend(self.cloud().accounts().keys(&account).iter().map(|key| told_key(&account, key)));
        }
        if wanted(KeyType::SystemManaged) {
            keys.push(self.told_system_key(&account));
        }
        Ok(ListServiceAccountKeysResponse { keys })
    }

    fn get_key(&self, call: &Call, request: GetServiceAccountKeyRequest) -> Result<ServiceAccountKey, Refused> {
        let (account, id) = self.key_account(call, "iam.serviceAccountKeys.get", &request.name)?;
        let form = request.public_key_type();
        if let Some(key) = self.cloud().accounts().key(&account, id) {
            let public_key_data = public_text(form, &key.public, &key.certificate);
            return Ok(ServiceAccountKey { public_key_data, ..told_key(&account, &key) });
        }
        let system = self.cloud().accounts().system_key(&account);
        if system.id() == id {
            let public_key_data = public_text(form, &system.public(), system.certificate());
            return Ok(ServiceAccountKey { public_key_data, ..self.told_system_key(&account) });
        }
        Err(refused(call, &AccountFault::UnknownKey(id.to_owned())))
    }

    fn delete_key(&self, call: &Call, request: DeleteServiceAccountKeyRequest) -> Result<(), Refused> {
        let (account, id) = self.key_account(call, "iam.serviceAccountKeys.delete", &request.name)?;
        self.cloud().accounts().delete_key(&account, id).map_err(|fault| refused(call, &fault))
    }

    fn disable_key(&self, call: &Call, request: DisableServiceAccountKeyRequest) -> Result<(), Refused> {
        let (account, id) = self.key_account(call, "iam.serviceAccountKeys.disable", &request.name)?;
        self.cloud().accounts().set_key_disabled(&account, id, true).map_err(|fault| refused(call, &fault))
    }

    fn enable_key(&self, call: &Call, request: EnableServiceAccountKeyRequest) -> Result<(), Refused> {
        let (account, id) = self.key_account(call, "iam.serviceAccountKeys.enable", &request.name)?;
        self.cloud().accounts().set_key_disabled(&account, id, false).map_err(|fault| refused(call, &fault))
    }

    /// The account of a key and the key's id, after the caller's permission was asked.
    fn key_account<'a>(
        &self,
        call: &Call,
        permission: &str,
        name: &'a str,
    ) -> Result<(Arc<Account>, &'a str), Refused> {
        let what = "it must be projects/PROJECT/serviceAccounts/ACCOUNT/keys/KEY";
        let parsed = AccountName::parse_key(name);
        let (account, key) = need(call, parsed, |check| named(check, what, name), "request")?;
        Ok((self.named_account(call, permission, account)?, key))
    }

    fn told_system_key(&self, account: &Account) -> ServiceAccountKey {
        let system = self.cloud().accounts().system_key(account);
        ServiceAccountKey {
            name: format!("{}/keys/{}", account.name(), system.id()),
            key_algorithm: KeyAlgorithm::KeyAlgRsa2048.into(),
            key_origin: ServiceAccountKeyOrigin::GoogleProvided.into(),
            key_type: KeyType::SystemManaged.into(),
            ..ServiceAccountKey::default()
        }
    }
}

/// What a refusal by an organization policy tells of the account.
fn of_account(check: Check, account: &Account) -> Check {
    let escaped = account.email.replace('@', "%40");
    check.with("project", &account.project_id).with("email", &account.email).with("escaped", escaped)
}

fn refused(call: &Call, fault: &AccountFault) -> Refused {
    let check = Check::named("resource").found(fault.to_string()).holds(false);
    let check = match fault {
        AccountFault::TooManyKeys(_) => check
            .expected("fewer than 10 user-managed keys")
            .or_refuse(&refusals::KEY_LIMIT, "iam-sa-key-limit")
            .mend(|| "delete a key that is no longer used".to_owned()),
        AccountFault::UnknownKey(key) => check
            .expected("a key of the account")
            .or_refuse(&refusals::KEY_UNKNOWN, "iam-sa-key-unknown")
            .with("key", key)
            .mend(|| "list the account's keys and name one of them".to_owned()),
        AccountFault::KeyExists(_) => check
            .expected("a key that the account does not have")
            .or_refuse(&refusals::ENTITY_EXISTS, "iam-sa-key-exists")
            .mend(|| "use the key that is there, or delete it first".to_owned()),
        AccountFault::SystemKey(_) => check
            .expected("a user-managed key")
            .or_refuse(&refusals::PRECONDITION, "iam-sa-key-system")
            .mend(|| "leave the keys alone whose `keyType` is SYSTEM_MANAGED: Google rotates them".to_owned()),
        _ => check
            .expected("a service account that exists")
            .or_refuse(&refusals::ACCOUNT_UNKNOWN, "iam-sa-get-unknown")
            .mend(|| "create the account first".to_owned()),
    };
    refuse(call, check)
}

/// The key as Google tells it, without public and private half.
fn told_key(account: &Account, key: &AccountKey) -> ServiceAccountKey {
    let origin = match key.origin {
        KeyOrigin::GoogleProvided => ServiceAccountKeyOrigin::GoogleProvided,
        KeyOrigin::UserProvided => ServiceAccountKeyOrigin::UserProvided,
    };
    let for_ever = prost_types::Timestamp { seconds: FOR_EVER, nanos: 0 };
    ServiceAccountKey {
        name: format!("{}/keys/{}", account.name(), key.id),
        key_algorithm: KeyAlgorithm::KeyAlgRsa2048.into(),
        valid_after_time: Some(timestamp(key.valid_after)),
        valid_before_time: Some(key.valid_before.map_or(for_ever, timestamp)),
        key_origin: origin.into(),
        key_type: KeyType::UserManaged.into(),
        disabled: key.disabled,
        ..ServiceAccountKey::default()
    }
}

fn public_text(form: PublicKeyType, public: &PublicKey, certificate: &str) -> Vec<u8> {
    match form {
        PublicKeyType::TypeNone => Vec::new(),
        PublicKeyType::TypeX509PemFile => certificate.as_bytes().to_vec(),
        PublicKeyType::TypeRawPublicKey => x509::public_pem(public).into_bytes(),
    }
}
