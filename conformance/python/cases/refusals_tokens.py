"""Refusals of IAM Credentials and of the oauth2 token endpoint, as the libraries tell them."""

import datetime
import json
from collections.abc import Iterator

from google.api_core import exceptions
from google.auth import credentials as auth
from google.auth import identity_pool, impersonated_credentials
from google.auth.exceptions import InvalidOperation, RefreshError
from google.auth.transport.requests import Request
from google.cloud import iam_credentials_v1
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account

from support.rig import CLOUD
from support.stage import Stage
from support.verdict import Case, equal, raises, require

READ_STORAGE = "https://www.googleapis.com/auth/devstorage.read_only"
NO_ACCESS_TOKEN = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
NO_ID_TOKEN = "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."
TOO_LONG = (
    "can not have lifetimes of more than 1 hour. Use the Org Policy Constraint "
    "constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours."
)


class IamCredentials:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.name = f"projects/-/serviceAccounts/{stage.deployer}"

    def key(self) -> service_account.Credentials:
        return service_account.Credentials.from_service_account_file(str(self.stage.key))

    def workload(self, impersonate: str | None = None) -> identity_pool.Credentials:
        """A build that may not act as the deployer."""
        file = self.stage.build(sub="nightly", impersonate=impersonate)
        return identity_pool.Credentials.from_file(str(file), scopes=[CLOUD])

    def refused(self, transport: str, check: str, kinds, words: str, credentials=None, **fields) -> None:
        """generateAccessToken fails `check`. `kinds` are what the library raises over gRPC and over REST."""
        client = iam_credentials_v1.IAMCredentialsClient(credentials=credentials or self.key(), transport=transport)
        kind = kinds[0] if transport == "grpc" else kinds[1]
        request = {"name": self.name, "scope": [CLOUD], **fields}
        with self.stage.control.refuses("iamcredentials", check), raises(kind, words):
            client.generate_access_token(request=request, retry=None)

    def permission(self, transport: str) -> None:
        kinds = exceptions.PermissionDenied, exceptions.Forbidden
        self.refused(transport, "permission", kinds, NO_ACCESS_TOKEN, self.workload())

    def lifetime(self, transport: str) -> None:
        kinds = exceptions.InvalidArgument, exceptions.BadRequest
        self.refused(transport, "request", kinds, TOO_LONG, lifetime=datetime.timedelta(hours=2))

    def bogus_scope(self, transport: str) -> None:
        kinds = exceptions.InvalidArgument, exceptions.BadRequest
        words = "Request contains an invalid argument."
        self.refused(transport, "request", kinds, words, scope=[self.stage.ledger])

    def narrow_token(self, transport: str) -> None:
        """The caller's own token is good for reading buckets alone."""
        key = self.key().with_scopes([READ_STORAGE])
        key.refresh(Request())
        kinds = exceptions.PermissionDenied, exceptions.Forbidden
        words = "Request had insufficient authentication scopes."
        self.refused(transport, "scope", kinds, words, oauth2.Credentials(key.token))

    def bad_token(self, transport: str) -> None:
        """Over REST the library takes 401 for expired, and finds that it cannot refresh a bare token."""
        kinds = exceptions.Unauthenticated, RefreshError
        words = "The credentials do not contain the necessary fields need to refresh the access token."
        if transport == "grpc":
            words = "401 Request had invalid authentication credentials. Expected OAuth 2 access token"
        self.refused(transport, "credential", kinds, words, oauth2.Credentials("ya29.nothing"))

    def no_token(self, transport: str) -> None:
        kinds = exceptions.Unauthenticated, InvalidOperation
        words = "Anonymous credentials cannot be refreshed."
        if transport == "grpc":
            words = "401 Request is missing required authentication credential. Expected OAuth 2 access token"
        self.refused(transport, "credential", kinds, words, auth.AnonymousCredentials())

    # As google-auth tells them.

    def impersonation(self, credentials, check: str, words: str) -> None:
        with self.stage.control.refuses("iamcredentials", check), raises(RefreshError) as raised:
            credentials.refresh(Request())
        what, body = raised.error.args
        equal(what, "Unable to acquire impersonated credentials", "what the library says")
        message = json.loads(body)["error"]["message"]
        require(words in message, f"`{words}` is not in the message: {message}")

    def by_file(self) -> None:
        self.impersonation(self.workload(impersonate=self.stage.deployer), "permission", NO_ACCESS_TOKEN)

    def target(self, principal: str, **options) -> impersonated_credentials.Credentials:
        return impersonated_credentials.Credentials(self.key().with_scopes([CLOUD]), principal, [CLOUD], **options)

    def long_lifetime(self) -> None:
        self.impersonation(self.target(self.stage.deployer, lifetime=7200), "request", TOO_LONG)

    def id_token(self) -> None:
        credentials = impersonated_credentials.IDTokenCredentials(
            self.target(self.stage.stranger), target_audience=self.stage.ledger
        )
        with self.stage.control.refuses("iamcredentials", "permission"):
            # The library prints the body as Python does.
            with raises(RefreshError, "Error getting ID token: {'error': {'code': 403,", f'"{NO_ID_TOKEN}"'):
                credentials.refresh(Request())


class Oauth2:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def refused(self, credentials, check: str, words: str) -> None:
        with self.stage.control.refuses("oauth2-token", check), raises(RefreshError) as raised:
            credentials.refresh(Request())
        equal(raised.error.args[0], words, "what the library says")

    def credentials(self, info: dict) -> service_account.Credentials:
        return service_account.Credentials.from_service_account_info(info, scopes=[CLOUD])

    def deleted_key(self) -> None:
        info = json.loads(self.stage.new_key(self.stage.deployer).read_text())
        account = f"projects/-/serviceAccounts/{self.stage.deployer}"
        self.stage.admin.delete_service_account_key(name=f"{account}/keys/{info['private_key_id']}")
        self.refused(self.credentials(info), "signature", "invalid_grant: Invalid JWT Signature.")

    def wrong_key(self) -> None:
        info = json.loads(self.stage.key.read_text())
        other = json.loads(self.stage.new_key(self.stage.stranger).read_text())
        info["private_key"] = other["private_key"]
        self.refused(self.credentials(info), "signature", "invalid_grant: Invalid JWT Signature.")

    def unknown_account(self) -> None:
        info = {**json.loads(self.stage.key.read_text()), "client_email": self.stage.owner.email("nobody-2")}
        self.refused(self.credentials(info), "account", "invalid_grant: Invalid grant: account not found")

    def no_audience(self) -> None:
        key = service_account.IDTokenCredentials.from_service_account_file(str(self.stage.key), target_audience="")
        self.refused(key, "scope", "invalid_scope: Invalid OAuth scope or ID token audience provided.")


def cases(stage: Stage) -> Iterator[Case]:
    iam, oauth = IamCredentials(stage), Oauth2(stage)
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        rows = {
            "no permission": iam.permission,
            "lifetime over an hour": iam.lifetime,
            "a scope that is none": iam.bogus_scope,
            "token of too narrow a scope": iam.narrow_token,
            "token that is none": iam.bad_token,
            "no token": iam.no_token,
        }
        for name, trial in rows.items():
            path = f"refused by IAM Credentials, {word}"
            yield Case("google-cloud-iam", path, name, lambda t=transport, trial=trial: trial(t))
    yield Case("google-auth", "refused by IAM Credentials", "workload may not act as the account", iam.by_file)
    yield Case("google-auth", "refused by IAM Credentials", "lifetime over an hour", iam.long_lifetime)
    yield Case("google-auth", "refused by IAM Credentials", "ID token of another account", iam.id_token)
    yield Case("google-auth", "refused by oauth2", "deleted key", oauth.deleted_key)
    yield Case("google-auth", "refused by oauth2", "wrong key", oauth.wrong_key)
    yield Case("google-auth", "refused by oauth2", "unknown account", oauth.unknown_account)
    yield Case("google-auth", "refused by oauth2", "empty audience", oauth.no_audience)
