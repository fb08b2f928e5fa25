//! The grant of RFC 6749, section 6: a user's refresh token for new tokens.

use serde_json::{Value, json};
use tokenrig_cloud::{OAuthClient, RefreshState, RefreshToken, UserTokenOrder, is_oauth_scope};
use tokenrig_decision::{Check, Decision};

use super::{Accounts, Decided, short};
use crate::{
    model::{Client, Fields, REFRESH_TOKEN},
    refusals,
};

/// What every refresh token of Google's begins with.
const PREFIX: &str = "1//";

impl Accounts {
    /// `grant_type=refresh_token`. `request` was checked already.
    pub(super) fn refresh(&self, mut decision: Decision, fields: &Fields, client: &Client) -> Decided {
        let users = self.cloud.users();
        let known = client.id.as_deref().and_then(|id| users.client(id));
        if !decision.add(check_client(client, known.as_deref())) {
            return (decision, None);
        }
        let told = fields.get(REFRESH_TOKEN);
        let token = told.and_then(|token| users.refresh_token(token));
        let id = client.id.as_deref().unwrap_or_default();
        if !decision.add(check_token(told, token.as_ref(), id)) {
            return (decision, None);
        }
        let asked = self.scopes(fields.get("scope"));
        decision.add(
            Check::named("scope")
                .expected("OAuth scopes, or nothing for all that the user has granted")
                .found(fields.get("scope").map(short))
                .holds(!asked.is_empty())
                .or_refuse(&refusals::SCOPE_EMPTY, "oauth2-refresh-scope-unknown")
                .mend(|| "ask for scopes such as `https://www.googleapis.com/auth/cloud-platform`".to_owned()),
        );
        let user = token.and_then(|token| users.get(&token.user));
        let (None, Some(user)) = (decision.failed(), user) else { return (decision, None) };
        let (scope, lifetime) = (asked.join(" "), self.settings.lifetime);
        let order = UserTokenOrder { user, client_id: id.to_owned(), scopes: asked, lifetime };
        let tokens = self.cloud.mint().user_tokens(order);
        let mut answer = json!({
            "access_token": tokens.access_token.reveal(),
            "expires_in": lifetime.as_secs(),
            "scope": scope,
            "token_type": "Bearer",
        });
        if let Some(id_token) = tokens.id_token {
            answer["id_token"] = Value::from(id_token);
        }
        (decision, Some(answer))
    }

    /// The scopes that are asked for, without what is none; without any, those that a user is taken to have granted.
    fn scopes(&self, asked: Option<&str>) -> Vec<String> {
        match asked {
            Some(asked) => asked.split_whitespace().filter(|scope| is_oauth_scope(scope)).map(str::to_owned).collect(),
            None => self.settings.user_scopes.clone(),
        }
    }
}

fn check_client(client: &Client, known: Option<&OAuthClient>) -> Check {
    let check =
        Check::named("client").expected("an OAuth client and its secret").found(client.id.as_deref().map(short));
    let secret = client.secret.as_deref();
    let (refusal, id, mend) = match (&client.id, known) {
        (None, _) => (
            &refusals::CLIENT_ID_MISSING,
            "oauth2-client-id-missing",
            "send `client_id` and `client_secret`, or the two as basic authentication",
        ),
        (Some(_), None) => (
            &refusals::CLIENT_NOT_FOUND,
            "oauth2-client-not-found",
            "use a client that is given in `oauth2.clients`, or gcloud's own",
        ),
        (Some(_), Some(known)) => match secret {
            Some(secret) if known.secret.is(secret) => return check,
            Some(_) => (
                &refusals::CLIENT_SECRET_WRONG,
                "oauth2-client-secret-wrong",
                "send the `clientSecret` that the client was given",
            ),
            None => (
                &refusals::CLIENT_SECRET_MISSING,
                "oauth2-client-secret-missing",
                "send the client's secret as `client_secret`",
            ),
        },
    };
    check.holds(false).or_refuse(refusal, id).mend(|| mend.to_owned())
}

fn check_token(told: Option<&str>, token: Option<&RefreshToken>, client_id: &str) -> Check {
    let found =
        token.map(|token| json!({ "user": token.user, "client": token.client_id, "state": token.state.name() }));
    let check = Check::named("refresh-token")
        .expected(json!({ "client": client_id, "state": RefreshState::Active.name() }))
        .found(found);
    let (refusal, id, mend) = match (told, token) {
        (None, _) => (
            &refusals::REFRESH_BAD_REQUEST,
            "oauth2-refresh-token-missing",
            "send the user's refresh token as `refresh_token`",
        ),
        (Some(told), None) if !told.starts_with(PREFIX) => (
            &refusals::REFRESH_BAD_REQUEST,
            "oauth2-refresh-bad-request",
            "send a refresh token of Google's: it begins with `1//`",
        ),
        (Some(_), Some(token)) if token.client_id != client_id => (
            &refusals::REFRESH_BAD_REQUEST,
            "oauth2-refresh-bad-request",
            "use the client that the refresh token was given to",
        ),
        (Some(_), None) => (
            &refusals::REFRESH_REVOKED,
            "oauth2-refresh-token-revoked",
            "sign in again: nobody knows this refresh token",
        ),
        (Some(_), Some(token)) => match token.state {
            RefreshState::Active => return check,
            RefreshState::Revoked => (
                &refusals::REFRESH_REVOKED,
                "oauth2-refresh-token-revoked",
                "sign in again: the refresh token was revoked",
            ),
            RefreshState::ReauthDue => (
                &refusals::REAUTH_DUE,
                "oauth2-refresh-reauth-due",
                "sign in again: the user's organisation limits how long a session lasts",
            ),
        },
    };
    check.holds(false).or_refuse(refusal, id).mend(|| mend.to_owned())
}
