"""Refused token exchanges, word for word as google-auth tells them."""

import time
from collections.abc import Iterator

from google.api_core.exceptions import ServiceUnavailable
from google.auth import identity_pool
from google.auth.exceptions import OAuthError
from google.auth.transport.requests import Request
from google.cloud import iam_credentials_v1

from support.environment import CREDENTIALS, environment
from support.rig import CLOUD
from support.sources import text_file
from support.stage import Stage
from support.verdict import Case, equal, raises
from support.workload import Provider

CONDITION = "The given credential is rejected by the attribute condition."
TARGET = (
    'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or '
    "provider is disabled or deleted or because it doesn't exist."
)


class Exchange:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def refused(self, token: str, check: str, words: str, provider: Provider | None = None) -> None:
        """The exchange of `token` fails `check`, and the library says just `words`."""
        stage = self.stage
        source = text_file(stage.path("token.txt"), token)
        file = (provider or stage.provider).file(stage.path("credentials.json"), source)
        credentials = identity_pool.Credentials.from_file(str(file), scopes=[CLOUD])
        with stage.control.refuses("sts", check), raises(OAuthError) as raised:
            credentials.refresh(Request())
        equal(raised.error.args[0], f"Error code {words}", "what the library says")

    def changed(self, check: str, words: str, **claims) -> None:
        self.refused(self.stage.provider.token(**claims), check, words)

    def condition(self) -> None:
        self.changed("condition", f"unauthorized_client: {CONDITION}", branch="topic")

    def subject(self) -> None:
        words = "unauthorized_client: Could not obtain a value for google.subject from the given credential."
        self.changed("mapping", words, sub=None)

    def audience(self) -> None:
        other = "https://elsewhere.example"
        words = f"invalid_grant: The audience in ID Token [{other}] does not match the expected audience."
        self.changed("token-audience", words, aud=other)

    def issuer(self) -> None:
        other, own = "https://elsewhere.example", self.stage.provider.issuer
        words = f"The issuer in ID Token {other} does not match the expected one in config: {own}"
        self.changed("issuer", f"invalid_grant: {words}", iss=other)

    def expired(self) -> None:
        issued = int(time.time()) - 7200
        words = f"invalid_grant: ID Token issued at {issued} is stale to sign-in."
        self.changed("times", words, iat=issued, exp=issued + 3600)

    def signature(self) -> None:
        provider = self.stage.provider
        words = "invalid_grant: Unable to verify the ID Token signature."
        self.refused(provider.forged(provider.token()), "signature", words)

    def disabled(self) -> None:
        closed = self.stage.closed
        self.refused(closed.token(), "provider", f"invalid_target: {TARGET}", closed)

    def unknown(self) -> None:
        known = self.stage.provider
        provider = Provider(known.name + "-2", known.issuer)
        self.refused(provider.token(), "provider", f"invalid_target: {TARGET}", provider)

    def by_client(self, transport: str) -> None:
        """A generated client: over gRPC the refusal looks like an unavailable server."""
        kind, before = OAuthError, "("
        if transport == "grpc":
            kind, before = ServiceUnavailable, "503 Getting metadata from plugin failed with error: ("
        with environment({CREDENTIALS: self.stage.build(branch="topic")}):
            client = iam_credentials_v1.IAMCredentialsClient(transport=transport)
        with self.stage.control.refuses("sts", "condition"):
            with raises(kind, f"{before}'Error code unauthorized_client: {CONDITION}'"):
                client.generate_id_token(
                    name=f"projects/-/serviceAccounts/{self.stage.deployer}", audience="x", retry=None
                )


def cases(stage: Stage) -> Iterator[Case]:
    exchange = Exchange(stage)
    rows = {
        "attribute condition not met": exchange.condition,
        "no subject": exchange.subject,
        "other audience": exchange.audience,
        "other issuer": exchange.issuer,
        "expired subject token": exchange.expired,
        "wrong key": exchange.signature,
        "disabled provider": exchange.disabled,
        "unknown provider": exchange.unknown,
    }
    for name, trial in rows.items():
        yield Case("google-auth", "refused by STS", name, trial)
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        trial = lambda t=transport: exchange.by_client(t)
        yield Case("google-cloud-iam", f"refused by STS, {word}", "attribute condition not met", trial)
