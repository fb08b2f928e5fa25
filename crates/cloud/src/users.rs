//! People, the OAuth clients that they use, and the refresh tokens that they gave them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokenrig_policy::Identity;

use crate::{
    cloud::Cloud,
    sync::{read, write},
};

/// The client id of gcloud. Tokens of its users are made for it, whatever they are used for.
pub const GCLOUD_CLIENT_ID: &str = "32555940559.apps.googleusercontent.com";
/// The secret of gcloud's client, which every installation holds and which is therefore none. Google Cloud SDK,
/// `googlecloudsdk/core/config.py`.
const GCLOUD_CLIENT_SECRET: &str = "ZmssLNjJy2998hD4CTg2ejr2";

/// A Google account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its e-mail address, lower case.
    pub email: String,
    /// Its Google id: 21 digits, which never change.
    pub id: String,
}

impl User {
    /// Who it is, for policies.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::User { email: self.email.clone(), id: self.id.clone() }
    }

    /// The domain that manages the account (`hd`); none for the accounts that anybody can make.
    #[must_use]
    pub fn hosted_domain(&self) -> Option<&str> {
        let (_, domain) = self.email.rsplit_once('@')?;
        (!matches!(domain, "gmail.com" | "googlemail.com")).then_some(domain)
    }
}

/// Text that is shown to nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, for who must write it where it came from.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is this text.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), text.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// An OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClient {
    /// Its id in given documents; gcloud's own is `gcloud`.
    pub name: String,
    /// `…apps.googleusercontent.com`.
    pub client_id: String,
    /// Its secret.
    pub secret: Secret,
}

/// What has become of a refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RefreshState {
    /// It works.
    #[default]
    Active,
    /// It was revoked.
    Revoked,
    /// The user's organisation wants the user to sign in again.
    ReauthDue,
}

impl RefreshState {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Active, Self::Revoked, Self::ReauthDue];

    /// Its name in given documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::ReauthDue => "reauth-due",
        }
    }
}

/// A refresh token: whom it stands for and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The user's e-mail address.
    pub user: String,
    /// The client's `client_id`.
    pub client_id: String,
    /// What has become of it.
    pub state: RefreshState,
}

/// Why somebody or something was not made known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserFault {
    /// It is no address of a person.
    #[error("`{0}` is no e-mail address of a Google account")]
    Address(String),
    /// There is no such user.
    #[error("there is no user {0}")]
    UnknownUser(String),
    /// There is no such client.
    #[error("there is no OAuth client `{0}`")]
    UnknownClient(String),
    /// Another client has this name or id.
    #[error("there already is an OAuth client `{0}`")]
    ClientExists(String),
    /// Somebody has this refresh token.
    #[error("a refresh token is given a second time")]
    TokenExists,
}

#[derive(Debug)]
pub(crate) struct State {
    users: BTreeMap<String, Arc<User>>,
    /// By client id.
    clients: BTreeMap<String, Arc<OAuthClient>>,
    tokens: BTreeMap<Secret, RefreshToken>,
}

impl Default for State {
    fn default() -> Self {
        let gcloud = OAuthClient {
            name: "gcloud".to_owned(),
            client_id: GCLOUD_CLIENT_ID.to_owned(),
            secret: Secret::new(GCLOUD_CLIENT_SECRET),
        };
        Self {
            users: BTreeMap::new(),
            clients: BTreeMap::from([(gcloud.client_id.clone(), Arc::new(gcloud))]),
            tokens: BTreeMap::new(),
        }
    }
}

/// The people of a cloud.
#[derive(Clone, Copy)]
pub struct Users<'a>(pub(crate) &'a Cloud);

impl Users<'_> {
    /// Makes a Google account known. Its id follows from the rig's seed. One that is known stays as it is.
    ///
    /// # Errors
    ///
    /// [`UserFault::Address`].
    pub fn add(&self, email: &str) -> Result<Arc<User>, UserFault> {
        let email = email.to_ascii_lowercase();
        let person = email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !domain.ends_with("gserviceaccount.com")
        });
        if !person {
            return Err(UserFault::Address(email));
        }
        let id = self.0.derive().unique_id(&format!("user {email}"), 0);
        let mut state = write(&self.0.inner().users);
        let user = state.users.entry(email.clone()).or_insert_with(|| Arc::new(User { email, id }));
        Ok(Arc::clone(user))
    }

    /// A user by e-mail address, in any letter case, or by Google id.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<User>> {
        let state = read(&self.0.inner().users);
        let by_email = state.users.get(&name.to_ascii_lowercase());
        by_email.or_else(|| state.users.values().find(|user| user.id == name)).cloned()
    }

    /// All users, by e-mail address.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<User>> {
        read(&self.0.inner().users).users.values().cloned().collect()
    }

    /// Makes an OAuth client known.
    ///
    /// # Errors
    ///
    /// [`UserFault::ClientExists`].
    pub fn add_client(&self, client: OAuthClient) -> Result<Arc<OAuthClient>, UserFault> {
        let mut state = write(&self.0.inner().users);
        let taken = |own: &Arc<OAuthClient>| own.name == client.name || own.client_id == client.client_id;
        if state.clients.values().any(taken) {
            return Err(UserFault::ClientExists(client.name));
        }
        let client = Arc::new(client);
        state.clients.insert(client.client_id.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// A client by its `client_id`.
    #[must_use]
    pub fn client(&self, client_id: &str) -> Option<Arc<OAuthClient>> {
        read(&self.0.inner().users).clients.get(client_id).cloned()
    }

    /// All clients, gcloud's own among them.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<OAuthClient>> {
        read(&self.0.inner().users).clients.values().cloned().collect()
    }

    /// Makes a refresh token known that a user gave to a client, which is named by its name or id.
    ///
    /// # Errors
    ///
    /// [`UserFault::UnknownUser`], [`UserFault::UnknownClient`], [`UserFault::TokenExists`].
    pub fn add_refresh_token(
        &self,
        token: &str,
        user: &str,
        client: &str,
        state: RefreshState,
    ) -> Result<(), UserFault> {
        let user = self.get(user).ok_or_else(|| UserFault::UnknownUser(user.to_owned()))?;
        let mut known = write(&self.0.inner().users);
        let found = known.clients.values().find(|own| own.name == client || own.client_id == client);
        let client_id = found.ok_or_else(|| UserFault::UnknownClient(client.to_owned()))?.client_id.clone();
        let token = Secret::new(token);
        if known.tokens.contains_key(&token) {
            return Err(UserFault::TokenExists);
        }
        known.tokens.insert(token, RefreshToken { user: user.email.clone(), client_id, state });
        Ok(())
    }

    /// What is known of a refresh token.
    #[must_use]
    pub fn refresh_token(&self, token: &str) -> Option<RefreshToken> {
        read(&self.0.inner().users).tokens.get(&Secret::new(token)).cloned()
    }

    /// All refresh tokens, for who must write them where they came from.
    #[must_use]
    pub fn refresh_tokens(&self) -> Vec<(Secret, RefreshToken)> {
        let state = read(&self.0.inner().users);
        state.tokens.iter().map(|(token, known)| (token.clone(), known.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::cloud::tests::{cloud, cloud_with};

    #[test]
    fn a_user_has_an_id_of_21_digits_that_follows_from_the_seed() {
        let alice = cloud().users().add("Alice@shop.example").unwrap();
        assert_eq!((alice.email.as_str(), alice.id.len()), ("alice@shop.example", 21));
        assert_eq!(cloud().users().add("alice@shop.example").unwrap(), alice);
        let (other, _) = cloud_with(|foundation| foundation.settings.seed = "another".into());
        assert_ne!(other.users().add("alice@shop.example").unwrap().id, alice.id);
    }

    #[test]
    fn a_user_is_found_by_address_and_by_id() {
        let cloud = cloud();
        let alice = cloud.users().add("alice@shop.example").unwrap();
        assert_eq!(cloud.users().get("ALICE@shop.example"), Some(Arc::clone(&alice)));
        assert_eq!(cloud.users().get(&alice.id), Some(alice));
        assert_eq!(cloud.users().get("bob@shop.example"), None);
    }

    #[rstest]
    #[case("alice")]
    #[case("@shop.example")]
    #[case("alice@shop")]
    #[case("a@b@shop.example")]
    #[case("caller@shop-test.iam.gserviceaccount.com")]
    fn what_is_no_persons_address_is_no_user(#[case] email: &str) {
        assert_eq!(cloud().users().add(email), Err(UserFault::Address(email.to_owned())));
    }

    #[rstest]
    #[case("alice@shop.example", Some("shop.example"))]
    #[case("alice@gmail.com", None)]
    fn a_domain_manages_its_accounts(#[case] email: &str, #[case] domain: Option<&str>) {
        assert_eq!(cloud().users().add(email).unwrap().hosted_domain(), domain);
    }

    #[test]
    fn gclouds_own_client_is_always_known() {
        let cloud = cloud();
        let gcloud = cloud.users().client(GCLOUD_CLIENT_ID).unwrap();
        assert!(gcloud.secret.is(GCLOUD_CLIENT_SECRET) && !gcloud.secret.is("") && !gcloud.secret.is("guessed"));
        let again = OAuthClient { name: "mine".into(), ..(*gcloud).clone() };
        assert_eq!(cloud.users().add_client(again), Err(UserFault::ClientExists("mine".into())));
    }

    #[test]
    fn a_refresh_token_is_a_users_and_a_clients_and_shows_itself_nowhere() {
        let cloud = cloud();
        cloud.users().add("alice@shop.example").unwrap();
        let give =
            |user: &str, client: &str| cloud.users().add_refresh_token("1//t", user, client, RefreshState::Active);
        assert_eq!(give("bob@shop.example", "gcloud"), Err(UserFault::UnknownUser("bob@shop.example".into())));
        assert_eq!(give("alice@shop.example", "web"), Err(UserFault::UnknownClient("web".into())));
        assert_eq!(give("alice@shop.example", "gcloud"), Ok(()));
        assert_eq!(give("alice@shop.example", GCLOUD_CLIENT_ID), Err(UserFault::TokenExists));
        let known = cloud.users().refresh_token("1//t").unwrap();
        assert_eq!((known.user.as_str(), known.client_id.as_str()), ("alice@shop.example", GCLOUD_CLIENT_ID));
        assert!(!format!("{:?}{:?}", cloud.users().refresh_tokens(), cloud.users().clients()).contains("1//t"));
        assert!(!format!("{:?}", cloud.users().clients()).contains(GCLOUD_CLIENT_SECRET));
    }
}
