"""ID tokens by each way that google-auth has, and what Google's own verifier makes of them."""

import json
from collections.abc import Iterator

from google.auth import compute_engine, identity_pool, impersonated_credentials, jwt
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import id_token, service_account

from support.environment import CREDENTIALS, environment
from support.rig import CLOUD
from support.stage import Stage, of_deployer
from support.verdict import Case, equal, raises, require

JWKS = "https://www.googleapis.com/oauth2/v3/certs"


class IdTokens:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def calls(self, credentials, *before: str) -> None:
        """The service answers a session with these credentials, which ask at the surfaces `before` it."""
        with self.stage.control.allows(*before, "cloud-run-front"):
            response = AuthorizedSession(credentials).get(f"{self.stage.ledger}/entries", timeout=30)
        equal(response.status_code, 200, f"the status of {response.text}")
        equal(response.json()["path"], "/entries", "the path that the service saw")

    # From the environment.

    def from_metadata(self) -> None:
        with environment({CREDENTIALS: None}):
            token = id_token.fetch_id_token(Request(), self.stage.ledger)
        claims = id_token.verify_oauth2_token(token, Request(), audience=self.stage.ledger)
        equal(claims["email"], self.stage.owner.credentials.service_account_email, "whose ID token it is")

    def from_key(self) -> None:
        with environment({CREDENTIALS: self.stage.key}), self.stage.control.allows("oauth2-token"):
            token = id_token.fetch_id_token(Request(), self.stage.ledger)
        of_deployer(self.stage, token, self.stage.ledger)

    def from_impersonated_file(self) -> None:
        """A file of type `impersonated_service_account`, as gcloud writes it for application-default login."""
        account = f"projects/-/serviceAccounts/{self.stage.deployer}"
        path = self.stage.path("impersonated.json")
        config = {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": (
                f"https://iamcredentials.googleapis.com/v1/{account}:generateAccessToken"
            ),
            "source_credentials": {**json.loads(self.stage.key.read_text()), "scopes": [CLOUD]},
            "delegates": [],
        }
        path.write_text(json.dumps(config))
        with environment({CREDENTIALS: path}), self.stage.control.allows("iamcredentials"):
            token = id_token.fetch_id_token(Request(), self.stage.ledger)
        of_deployer(self.stage, token, self.stage.ledger)

    def workload_falls_through(self) -> None:
        """`fetch_id_token` cannot use a workload's file; without a word it takes the machine's account."""
        with environment({CREDENTIALS: self.stage.build()}):
            token = id_token.fetch_id_token(Request(), self.stage.ledger)
        found = jwt.decode(token, verify=False)["email"]
        equal(found, self.stage.owner.credentials.service_account_email, "whose ID token it is")

    def session_from_environment(self) -> None:
        with environment({CREDENTIALS: self.stage.key}):
            self.calls(id_token.fetch_id_token_credentials(self.stage.ledger), "oauth2-token")

    # By credentials.

    def key_file(self) -> None:
        credentials = service_account.IDTokenCredentials.from_service_account_file(
            str(self.stage.key), target_audience=self.stage.ledger
        )
        self.calls(credentials, "oauth2-token")

    def key_by_iam(self) -> None:
        """The way of a key in another universe: a self-signed token, then IAM Credentials instead of oauth2."""
        credentials = service_account.IDTokenCredentials.from_service_account_file(
            str(self.stage.key), target_audience=self.stage.ledger
        )
        self.calls(credentials._with_use_iam_endpoint(True), "iamcredentials")

    def machine(self) -> None:
        credentials = compute_engine.IDTokenCredentials(
            Request(), self.stage.ledger, use_metadata_identity_endpoint=True
        )
        self.calls(credentials, "metadata")

    def machine_by_signature(self) -> None:
        """Without the identity address the machine's account signs by IAM Credentials, which its owner may not."""
        credentials = compute_engine.IDTokenCredentials(Request(), self.stage.ledger)
        with self.stage.control.refuses("iamcredentials", "permission"):
            with raises(TransportError, "Permission \\'iam.serviceAccounts.signBlob\\' denied on resource"):
                credentials.refresh(Request())

    def target(self, source) -> impersonated_credentials.Credentials:
        return impersonated_credentials.Credentials(
            source_credentials=source, target_principal=self.stage.deployer, target_scopes=[CLOUD]
        )

    def impersonated(self, source, *before: str) -> None:
        target = self.target(source)
        credentials = impersonated_credentials.IDTokenCredentials(
            target, target_audience=self.stage.ledger, include_email=True
        )
        self.calls(credentials, *before, "iamcredentials")
        of_deployer(self.stage, credentials.token, self.stage.ledger)

    def impersonated_by_key(self) -> None:
        key = service_account.Credentials.from_service_account_file(str(self.stage.key), scopes=[CLOUD])
        self.impersonated(key, "oauth2-token")

    def impersonated_by_workload(self) -> None:
        self.impersonated(identity_pool.Credentials.from_file(str(self.stage.build()), scopes=[CLOUD]), "sts")

    # What Google's verifier says.

    def token(self, audience: str) -> str:
        with environment({CREDENTIALS: self.stage.key}):
            return id_token.fetch_id_token(Request(), audience)

    def verified(self) -> None:
        claims = id_token.verify_oauth2_token(self.token("client-7"), Request(), audience="client-7")
        equal(claims["email"], self.stage.deployer, "the e-mail that was verified")

    def verified_by_jwk(self) -> None:
        claims = id_token.verify_token(self.token("client-7"), Request(), audience="client-7", certs_url=JWKS)
        equal(claims["email"], self.stage.deployer, "the e-mail that was verified")

    def other_audience(self) -> None:
        with raises(ValueError, "Token has wrong audience client-7, expected one of ['client-8']"):
            id_token.verify_oauth2_token(self.token("client-7"), Request(), audience="client-8")

    def changed(self) -> None:
        header, payload, signature = self.token("client-7").split(".")
        token = ".".join([header, payload, signature[4:] + signature[:4]])
        with raises(ValueError, "Could not verify token signature"):
            id_token.verify_oauth2_token(token, Request(), audience="client-7")

    def of_other_issuer(self) -> None:
        """A workload's own token is not Google's, whatever it claims."""
        token = self.stage.provider.token(iss="https://accounts.google.com", aud="client-7")
        with raises(GoogleAuthError, "Certificate for key id"):
            id_token.verify_oauth2_token(token, Request(), audience="client-7")


def cases(stage: Stage) -> Iterator[Case]:
    ways = IdTokens(stage)
    themes = {
        "fetch_id_token": {
            "metadata server": ways.from_metadata,
            "service-account key": ways.from_key,
            "impersonated_service_account file": ways.from_impersonated_file,
            "workload file is passed over": ways.workload_falls_through,
            "AuthorizedSession to the service": ways.session_from_environment,
        },
        "IDTokenCredentials": {
            "key file, by oauth2": ways.key_file,
            "key file, by IAM Credentials": ways.key_by_iam,
            "metadata server": ways.machine,
            "metadata server, without its identity address": ways.machine_by_signature,
            "impersonated from a key": ways.impersonated_by_key,
            "impersonated from a workload": ways.impersonated_by_workload,
        },
        "verify_oauth2_token": {
            "ID token of a key": ways.verified,
            "ID token of a key, by JWK set": ways.verified_by_jwk,
            "other audience": ways.other_audience,
            "changed signature": ways.changed,
            "not Google's": ways.of_other_issuer,
        },
    }
    for path, rows in themes.items():
        for name, trial in rows.items():
            yield Case("google-auth", path, name, trial)
