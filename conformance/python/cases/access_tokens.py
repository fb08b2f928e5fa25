"""Access tokens: by key, by the machine, self-signed; what an account signs, and who can verify it."""

import datetime
import json
import time
from collections.abc import Iterator

import google.auth
from google.auth import compute_engine, crypt, downscoped, iam, impersonated_credentials, jwt
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import iam_admin_v1, iam_credentials_v1
from google.oauth2 import service_account

from support.environment import CREDENTIALS, PROJECT, environment
from support.rig import CLOUD
from support.stage import Stage
from support.verdict import Case, equal, require


class AccessTokens:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.resource = f"projects/-/serviceAccounts/{stage.deployer}"
        self.url = f"https://cloudresourcemanager.googleapis.com/v1/projects/{stage.owner.project}"

    def key(self) -> service_account.Credentials:
        return service_account.Credentials.from_service_account_file(str(self.stage.key))

    def reads(self, credentials) -> None:
        """Resource Manager answers a session with these credentials."""
        answer = AuthorizedSession(credentials).get(self.url, timeout=30)
        equal(answer.status_code, 200, f"the status of {answer.text}")
        equal(answer.json()["projectNumber"], self.stage.owner.number, "the project number")

    # With a key.

    def by_oauth2(self) -> None:
        with self.stage.control.allows("oauth2-token", "cloudresourcemanager"):
            self.reads(self.key().with_scopes([CLOUD]))

    def self_signed_with_audience(self) -> None:
        audience = "https://cloudresourcemanager.googleapis.com/"
        self.reads(jwt.Credentials.from_signing_credentials(self.key(), audience=audience))

    def self_signed_with_scope(self) -> None:
        self.reads(self.key().with_scopes([CLOUD]).with_always_use_jwt_access(True))

    def self_signed_call(self, transport: str) -> None:
        """A generated client with a key asks no token endpoint: it signs for its own service."""
        with environment({CREDENTIALS: self.stage.key}):
            client = iam_credentials_v1.IAMCredentialsClient(transport=transport)
        with self.stage.control.allows("iamcredentials"):
            token = client.generate_access_token(name=self.resource, scope=[CLOUD], retry=None).access_token
        require(token.startswith("ya29."), "the access token has another form")

    def on_demand(self) -> None:
        """gRPC calls with `google.auth.jwt.OnDemandCredentials`: a self-signed token for each service."""
        credentials = jwt.OnDemandCredentials.from_signing_credentials(self.key())
        client = iam_admin_v1.IAMClient(credentials=credentials)
        account = client.get_service_account(name=self.resource, retry=None)
        equal(account.email, self.stage.deployer, "the account that was read")

    def default_key(self) -> None:
        with environment({CREDENTIALS: self.stage.key, PROJECT: None}):
            credentials, project = google.auth.default(scopes=[CLOUD])
        equal(project, self.stage.owner.project, "the project of the key")
        self.reads(credentials)

    # Without a key.

    def default_machine(self) -> None:
        with environment({CREDENTIALS: None, PROJECT: None}):
            credentials, project = google.auth.default(scopes=[CLOUD])
        require(isinstance(credentials, compute_engine.Credentials), f"the credentials are {type(credentials)}")
        equal(project, self.stage.owner.project, "the project of the machine")
        self.reads(credentials)

    def impersonated(self) -> None:
        target = impersonated_credentials.Credentials(
            self.key().with_scopes([CLOUD]), self.stage.deployer, [CLOUD], lifetime=600
        )
        self.reads(target)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)  # as the library keeps times
        left = (target.expiry - now).total_seconds()
        require(590 <= left <= 601, f"the access token has {left} seconds, not 600")

    def downscoped(self) -> None:
        """A token that opens one bucket and nothing else."""
        rule = downscoped.AccessBoundaryRule(
            available_resource="//storage.googleapis.com/projects/_/buckets/reports",
            available_permissions=["inRole:roles/storage.objectViewer"],
        )
        boundary = downscoped.CredentialAccessBoundary(rules=[rule])
        narrow = downscoped.Credentials(self.key().with_scopes([CLOUD]), boundary)
        with self.stage.control.allows("oauth2-token", "sts"):
            narrow.refresh(Request())
        with self.stage.control.refuses("cloudresourcemanager", "permission"):
            answer = AuthorizedSession(narrow).get(self.url, timeout=30)
        equal(answer.status_code, 403, "the status")

    # What an account signs.

    def certificates(self) -> dict:
        url = f"https://www.googleapis.com/robot/v1/metadata/x509/{self.stage.deployer}"
        answer = Request()(url=url, method="GET")
        equal(answer.status, 200, "the status of the account's certificates")
        return json.loads(answer.data)

    def sign_blob(self) -> None:
        signer = iam.Signer(Request(), self.key().with_scopes([CLOUD]), self.stage.deployer)
        signature = signer.sign(b"pay 5")
        certificates = list(self.certificates().values())
        require(crypt.verify_signature(b"pay 5", signature, certificates), "the signature does not hold")
        require(not crypt.verify_signature(b"pay 6", signature, certificates), "the signature holds for anything")

    def sign_jwt(self, transport: str) -> None:
        now = int(time.time())
        payload = {"iss": self.stage.deployer, "sub": "x", "aud": "y", "iat": now, "exp": now + 600}
        client = iam_credentials_v1.IAMCredentialsClient(
            credentials=self.key().with_scopes([CLOUD]), transport=transport
        )
        answer = client.sign_jwt(name=self.resource, payload=json.dumps(payload), retry=None)
        claims = jwt.decode(answer.signed_jwt, certs=self.certificates(), audience="y")
        equal(claims, payload, "the claims that were signed")
        equal(jwt.decode_header(answer.signed_jwt)["kid"], answer.key_id, "the key id in the header")

    def sign_by_key(self) -> None:
        """What the key itself signs verifies with the same certificates."""
        now = int(time.time())
        token = jwt.encode(self.key().signer, {"aud": "y", "iat": now, "exp": now + 600})
        equal(jwt.decode(token, certs=self.certificates(), audience="y")["aud"], "y", "the audience")


def cases(stage: Stage) -> Iterator[Case]:
    ways = AccessTokens(stage)
    yield Case("google-auth", "service-account key", "scoped token by oauth2", ways.by_oauth2)
    yield Case("google-auth", "service-account key", "self-signed, with audience", ways.self_signed_with_audience)
    yield Case("google-auth", "service-account key", "self-signed, with scope", ways.self_signed_with_scope)
    yield Case("google-auth", "service-account key", "default credentials", ways.default_key)
    yield Case("google-auth", "metadata server", "default credentials", ways.default_machine)
    yield Case("google-auth", "impersonated_credentials", "lifetime of 10 minutes", ways.impersonated)
    yield Case("google-auth", "downscoped", "a token within an access boundary", ways.downscoped)
    yield Case("google-auth", "signing", "iam.Signer, verified by certificate", ways.sign_blob)
    yield Case("google-auth", "signing", "by key, verified by certificate", ways.sign_by_key)
    yield Case("google-cloud-iam", "service-account key, gRPC", "on-demand self-signed tokens", ways.on_demand)
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        path = f"service-account key, {word}"
        trial = lambda t=transport: ways.self_signed_call(t)
        yield Case("google-cloud-iam", path, "access token, self-signed call", trial)
        yield Case("google-cloud-iam", path, "sign_jwt, verified by certificate", lambda t=transport: ways.sign_jwt(t))
