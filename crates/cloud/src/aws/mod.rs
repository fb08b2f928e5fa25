//! Amazon's cloud, as far as federation needs it: accounts, whose access keys they are, and who signed a request.
//!
//! A subject token of the kind `aws4_request` is a signed request to AWS's own Security Token Service. Google sends it on
//! and asks AWS who signed it; in a rig both ask [`AwsAccounts::caller`]. No request leaves the machine.

mod refused;
mod request;
mod sigv4;

use std::{collections::BTreeMap, fmt};

use tokenrig_clock::Timestamp;

pub use self::{
    refused::AwsRefused,
    request::{AwsRequest, UrlFault},
    sigv4::{Scope, authorization},
};
use crate::{
    cloud::Cloud,
    derive::Derive,
    sync::{read, write},
    users::Secret,
};

/// The region of accounts that do not say another.
const REGION: &str = "us-east-1";

/// What a principal of AWS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsKind {
    /// Somebody who has taken a role, with temporary credentials: what machines are.
    Role,
    /// An IAM user with a key for good.
    User,
}

/// A principal of AWS and its credentials, to be made known. What is absent is made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAwsPrincipal {
    /// The account, 12 digits.
    pub account: String,
    /// What it is.
    pub kind: AwsKind,
    /// The role's or user's name.
    pub name: String,
    /// The name of the session, of a role: an instance's id where a machine has the role.
    pub session: Option<String>,
    /// The access key's id.
    pub access_key_id: Option<String>,
    /// The access key's secret.
    pub secret_access_key: Option<Secret>,
    /// The session token, of a role.
    pub session_token: Option<Secret>,
}

/// A principal of AWS with its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsPrincipal {
    /// The account, 12 digits.
    pub account: String,
    /// The account's region: where its machines are.
    pub region: String,
    /// What it is.
    pub kind: AwsKind,
    /// The role's or user's name.
    pub name: String,
    /// The name of the session; of a user empty.
    pub session: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// The session token; of a user none.
    pub session_token: Option<Secret>,
    /// The id of the role or user, without the session.
    id: String,
}

impl AwsPrincipal {
    /// How a rig calls it: `ACCOUNT/ROLE`, `ACCOUNT/user/NAME`.
    #[must_use]
    pub fn key(&self) -> String {
        match self.kind {
            AwsKind::Role => format!("{}/{}", self.account, self.name),
            AwsKind::User => format!("{}/user/{}", self.account, self.name),
        }
    }

    /// Who AWS says that it is.
    #[must_use]
    pub fn identity(&self) -> AwsIdentity {
        let Self { account, name, session, id, .. } = self;
        match self.kind {
            AwsKind::Role => AwsIdentity {
                account: account.clone(),
                arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
                user_id: format!("{id}:{session}"),
            },
            AwsKind::User => AwsIdentity {
                account: account.clone(),
                arn: format!("arn:aws:iam::{account}:user/{name}"),
                user_id: id.clone(),
            },
        }
    }
}

/// What `GetCallerIdentity` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsIdentity {
    /// `Account`, 12 digits.
    pub account: String,
    /// `Arn`.
    pub arn: String,
    /// `UserId`.
    pub user_id: String,
}

/// Why an account or principal was not made known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsFault {
    /// It is no account id.
    #[error("`{0}` is no AWS account: its id is 12 digits, in quotes")]
    Account(String),
    /// It is no region.
    #[error("`{0}` is no AWS region, such as `us-east-1`")]
    Region(String),
    /// It is no name of a role, user or session.
    #[error("`{0}` is no name of AWS: 2 to 64 characters of [A-Za-z0-9_+=,.@-]")]
    Name(String),
    /// It is no id of an access key.
    #[error("`{0}` is no access key id: 4 to 128 capital letters and digits")]
    AccessKeyId(String),
    /// Two principals have the same access key.
    #[error("the access key `{0}` is given twice")]
    Twice(String),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// The region of each account.
    accounts: BTreeMap<String, String>,
    /// By access key id.
    principals: BTreeMap<String, AwsPrincipal>,
}

/// The AWS accounts of a rig.
#[derive(Clone, Copy)]
pub struct AwsAccounts<'a>(pub(crate) &'a Cloud);

impl AwsAccounts<'_> {
    /// Makes an account known.
    ///
    /// # Errors
    ///
    /// [`AwsFault::Account`], [`AwsFault::Region`].
    pub fn add(&self, account: &str, region: Option<&str>) -> Result<(), AwsFault> {
        if account.len() != 12 || !account.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(AwsFault::Account(account.to_owned()));
        }
        let region = region.unwrap_or(REGION);
        if !is_region(region) {
            return Err(AwsFault::Region(region.to_owned()));
        }
        write(&self.0.inner().aws).accounts.insert(account.to_owned(), region.to_owned());
        Ok(())
    }

    /// Makes a principal of a known account known.
    ///
    /// # Errors
    ///
    /// [`AwsFault`].
    pub fn add_principal(&self, new: NewAwsPrincipal) -> Result<AwsPrincipal, AwsFault> {
        let derive = self.0.derive();
        let of = format!("{:?} {}/{}", new.kind, new.account, new.name);
        let session = match new.kind {
            AwsKind::Role => new.session.unwrap_or_else(|| format!("i-{}", hex(derive, "instance", &of, 17))),
            AwsKind::User => String::new(),
        };
        for name in [&new.name, &session] {
            if !(is_name(name) || new.kind == AwsKind::User && name.is_empty()) {
                return Err(AwsFault::Name(name.clone()));
            }
        }
        let (key, id) = match new.kind {
            AwsKind::Role => ("ASIA", "AROA"),
            AwsKind::User => ("AKIA", "AIDA"),
        };
        let made_up = |purpose: &str, length| letters(derive, purpose, &of, length);
        let access_key_id = new.access_key_id.unwrap_or_else(|| format!("{key}{}", made_up("access key", 16)));
        let good = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
        if !(4..=128).contains(&access_key_id.len()) || !access_key_id.bytes().all(good) {
            return Err(AwsFault::AccessKeyId(access_key_id));
        }
        let secret = |purpose: &str, length| Secret::new(hex(derive, purpose, &of, length));
        let session_token = match new.kind {
            AwsKind::Role => Some(new.session_token.unwrap_or_else(|| secret("session token", 64))),
            AwsKind::User => None,
        };
        let mut state = write(&self.0.inner().aws);
        if state.principals.contains_key(&access_key_id) {
            return Err(AwsFault::Twice(access_key_id));
        }
        let region = state.accounts.get(&new.account).cloned().ok_or(AwsFault::Account(new.account.clone()))?;
        let principal = AwsPrincipal {
            account: new.account,
            region,
            kind: new.kind,
            name: new.name,
            session,
            access_key_id: access_key_id.clone(),
            secret_access_key: new.secret_access_key.unwrap_or_else(|| secret("secret key", 40)),
            session_token,
            id: format!("{id}{}", made_up("id", 17)),
        };
        state.principals.insert(access_key_id, principal.clone());
        Ok(principal)
    }

    /// The known accounts, each with its region, by id.
    #[must_use]
    pub fn list(&self) -> Vec<(String, String)> {
        let state = read(&self.0.inner().aws);
        state.accounts.iter().map(|(id, region)| (id.clone(), region.clone())).collect()
    }

    /// The known principals, in the order of their access keys.
    #[must_use]
    pub fn principals(&self) -> Vec<AwsPrincipal> {
        read(&self.0.inner().aws).principals.values().cloned().collect()
    }

    /// A principal by its [key](AwsPrincipal::key).
    #[must_use]
    pub fn principal(&self, key: &str) -> Option<AwsPrincipal> {
        read(&self.0.inner().aws).principals.values().find(|known| known.key() == key).cloned()
    }

    /// The one role that a machine of the rig has: the only one that is known.
    #[must_use]
    pub fn machine(&self) -> Option<AwsPrincipal> {
        let state = read(&self.0.inner().aws);
        let mut roles = state.principals.values().filter(|known| known.kind == AwsKind::Role);
        let first = roles.next()?;
        roles.next().is_none().then(|| first.clone())
    }

    /// Who signed a request to AWS's Security Token Service: what its `GetCallerIdentity` answers.
    ///
    /// # Errors
    ///
    /// [`AwsRefused`]: how AWS says no.
    pub fn caller(&self, request: &AwsRequest) -> Result<AwsIdentity, AwsRefused> {
        let signed = sigv4::Signed::read(request)?;
        signed.in_time(self.0.now())?;
        let state = read(&self.0.inner().aws);
        let principal = state.principals.get(signed.access_key_id()).ok_or(AwsRefused::UnknownKey)?;
        let expected = principal.session_token.as_ref().map(Secret::reveal);
        if expected != request.header("x-amz-security-token") {
            return Err(AwsRefused::UnknownKey);
        }
        signed.verify(request, principal.secret_access_key.reveal())?;
        Ok(principal.identity())
    }
}

/// The moment as `x-amz-date` has it: `20260115T090000Z`.
#[must_use]
pub fn amz_date(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=5).contains(&parts.len()) && text.len() <= 32 && parts.iter().all(word)
}

fn is_name(text: &str) -> bool {
    let good = |c: u8| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c);
    (2..=64).contains(&text.len()) && text.bytes().all(good)
}

fn hex(derive: &Derive, purpose: &str, of: &str, length: usize) -> String {
    let mut text = crate::derive::hex(&derive.bytes(&format!("aws {purpose}"), &[of.as_bytes()]));
    text.truncate(length);
    text
}

/// Capital letters and digits, as ids of AWS have them.
fn letters(derive: &Derive, purpose: &str, of: &str, length: usize) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes = derive.bytes(&format!("aws {purpose}"), &[of.as_bytes()]);
    let digits = bytes.iter().take(length).filter_map(|byte| DIGITS.get(usize::from(byte & 31)));
    digits.map(|digit| char::from(*digit)).collect()
}

impl fmt::Debug for AwsAccounts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsAccounts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokenrig_clock::{Clock as _, minutes};

    use super::*;
    use crate::cloud::tests::cloud_and_clock;

    const ACCOUNT: &str = "123456789012";
    const URL: &str = "https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";

    fn new(kind: AwsKind, name: &str) -> NewAwsPrincipal {
        NewAwsPrincipal {
            account: ACCOUNT.to_owned(),
            kind,
            name: name.to_owned(),
            session: None,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
        }
    }

    fn cloud() -> (Cloud, std::sync::Arc<tokenrig_clock::ManualClock>) {
        let (cloud, clock) = cloud_and_clock();
        cloud.aws().add(ACCOUNT, Some("eu-central-1")).unwrap();
        cloud.aws().add_principal(new(AwsKind::Role, "ci")).unwrap();
        cloud.aws().add_principal(new(AwsKind::User, "deploy")).unwrap();
        (cloud, clock)
    }

    /// A request that a principal signed, with one thing changed before and one after.
    fn signed(
        cloud: &Cloud,
        key: &str,
        before: impl FnOnce(&mut AwsRequest, &mut Scope),
        after: impl FnOnce(&mut AwsRequest),
    ) -> AwsRequest {
        let principal = cloud.aws().principal(key).unwrap();
        let date = amz_date(cloud.now());
        let mut request = AwsRequest::post(URL).unwrap();
        request.put("x-amz-date", &date);
        if let Some(token) = &principal.session_token {
            request.put("x-amz-security-token", token.reveal());
        }
        let mut scope = Scope::sts(&date, "eu-central-1");
        before(&mut request, &mut scope);
        let value = authorization(&request, &principal.access_key_id, principal.secret_access_key.reveal(), &scope);
        request.put("authorization", &value);
        after(&mut request);
        request
    }

    #[test]
    fn who_signed_a_request_is_known() {
        let (cloud, _) = cloud();
        let role = cloud.aws().caller(&signed(&cloud, "123456789012/ci", |_, _| (), |_| ())).unwrap();
        assert!(role.arn.starts_with("arn:aws:sts::123456789012:assumed-role/ci/i-"), "{role:?}");
        assert!(role.user_id.starts_with("AROA") && role.user_id.contains(":i-"));
        let user = cloud.aws().caller(&signed(&cloud, "123456789012/user/deploy", |_, _| (), |_| ())).unwrap();
        assert_eq!(user.arn, "arn:aws:iam::123456789012:user/deploy");
    }

    type Before = fn(&mut AwsRequest, &mut Scope);
    type After = fn(&mut AwsRequest);

    const AS_IT_IS: After = |_| ();

    fn untouched(_: &mut AwsRequest, _: &mut Scope) {}

    #[rstest]
    #[case::changed_header(untouched, |r: &mut AwsRequest| r.put("host", "sts.us-east-1.amazonaws.com"), "SignatureDoesNotMatch")]
    #[case::changed_query(untouched, |r: &mut AwsRequest| r.url = r.url.replace("2011", "2012"), "SignatureDoesNotMatch")]
    #[case::body_added(untouched, |r: &mut AwsRequest| r.body = b"x".to_vec(), "SignatureDoesNotMatch")]
    #[case::another_region(|_: &mut AwsRequest, s: &mut Scope| s.region = "us-east-1".into(), AS_IT_IS, "SignatureDoesNotMatch")]
    #[case::another_service(|_: &mut AwsRequest, s: &mut Scope| s.service = "s3".into(), AS_IT_IS, "SignatureDoesNotMatch")]
    #[case::no_session_token(|r: &mut AwsRequest, _: &mut Scope| r.remove("x-amz-security-token"), AS_IT_IS, "InvalidClientTokenId")]
    #[case::other_session_token(|r: &mut AwsRequest, _: &mut Scope| r.put("x-amz-security-token", "x"), AS_IT_IS, "InvalidClientTokenId")]
    #[case::no_authorization(untouched, |r: &mut AwsRequest| r.remove("authorization"), "MissingAuthenticationToken")]
    #[case::half_an_authorization(untouched, |r: &mut AwsRequest| r.put("authorization", "AWS4-HMAC-SHA256 Credential=x"), "IncompleteSignature")]
    #[case::another_algorithm(untouched, |r: &mut AwsRequest| r.put("authorization", "AWS4-HMAC-SHA1 Credential=x"), "IncompleteSignature")]
    #[case::no_date(untouched, |r: &mut AwsRequest| r.remove("x-amz-date"), "IncompleteSignature")]
    #[case::another_day(|_: &mut AwsRequest, s: &mut Scope| s.date = "20260114".into(), AS_IT_IS, "SignatureDoesNotMatch")]
    fn what_is_not_as_it_was_signed_is_refused(#[case] before: Before, #[case] after: After, #[case] code: &str) {
        let (cloud, _) = cloud();
        let refused = cloud.aws().caller(&signed(&cloud, "123456789012/ci", before, after)).unwrap_err();
        assert_eq!(refused.code(), code, "{refused:?}");
    }

    #[test]
    fn a_session_token_that_was_not_signed_is_refused() {
        let (cloud, _) = cloud();
        let token = cloud.aws().principal("123456789012/ci").unwrap().session_token.unwrap();
        let without = |request: &mut AwsRequest, _: &mut Scope| request.remove("x-amz-security-token");
        let request = signed(&cloud, "123456789012/ci", without, |r| r.put("x-amz-security-token", token.reveal()));
        assert_eq!(cloud.aws().caller(&request), Err(AwsRefused::Mismatch));
    }

    #[test]
    fn a_signature_ends_after_a_quarter_of_an_hour() {
        let (cloud, clock) = cloud();
        let request = signed(&cloud, "123456789012/ci", |_, _| (), |_| ());
        clock.advance_to(clock.now() + minutes(15)).unwrap();
        assert!(cloud.aws().caller(&request).is_ok());
        clock.advance_to(clock.now() + tokenrig_clock::seconds(1)).unwrap();
        let refused = cloud.aws().caller(&request).unwrap_err();
        assert_eq!(refused.code(), "SignatureDoesNotMatch");
        assert!(
            refused.message().starts_with("Signature expired: 20260115T090000Z is now earlier than"),
            "{refused:?}"
        );
    }

    #[rstest]
    #[case("12345678901", None, "12 digits")]
    #[case(ACCOUNT, Some("Frankfurt"), "no AWS region")]
    fn an_account_has_an_id_and_a_region(#[case] id: &str, #[case] region: Option<&str>, #[case] told: &str) {
        let (cloud, _) = cloud_and_clock();
        assert!(cloud.aws().add(id, region).unwrap_err().to_string().contains(told));
    }

    #[test]
    fn a_machine_has_a_role_only_if_there_is_no_doubt_which() {
        let (cloud, _) = cloud();
        assert_eq!(cloud.aws().machine().unwrap().name, "ci");
        cloud.aws().add_principal(new(AwsKind::Role, "cd")).unwrap();
        assert_eq!(cloud.aws().machine(), None);
    }
}
