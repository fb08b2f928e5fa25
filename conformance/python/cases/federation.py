"""Federation by credential file: every source of subject tokens, with and without impersonation, over both wires.

Each ends with an ID token of the deployer, asked for at IAM Credentials with Application Default Credentials.
"""

import datetime
import json
import pathlib
import time
from collections.abc import Callable, Iterator

import google.auth
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import iam_credentials_v1

from support.environment import CREDENTIALS, EXECUTABLES, PROJECT, environment
from support.rig import CLOUD
from support.sources import executable, json_file, text_file
from support.stage import Stage, of_deployer
from support.verdict import Case, equal, raises, require
from support.workload import ID_TOKEN, JWT


class Federation:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def sources(self) -> dict[str, Callable[[], dict]]:
        """Each kind of source, which holds a fresh subject token once it is called for."""
        stage = self.stage

        def served(form: str) -> dict:
            stage.server.token = stage.provider.token()
            return stage.server.source(form)

        return {
            "file, text": lambda: text_file(stage.path("token.txt"), stage.provider.token()),
            "file, JSON": lambda: json_file(stage.path("token.json"), stage.provider.token()),
            "url, text": lambda: served("text"),
            "url, JSON": lambda: served("json"),
            "executable": self.executable,
        }

    def executable(self) -> dict:
        audience = f"//iam.googleapis.com/{self.stage.provider.name}"
        return executable(self.stage.path("token.txt"), self.stage.provider.token(), audience)

    def credentials(self, source: dict, impersonate: bool) -> pathlib.Path:
        account = self.stage.deployer if impersonate else None
        return self.stage.provider.file(self.stage.path("credentials.json"), source, account)

    def id_token(self, source: Callable[[], dict], impersonate: bool, transport: str) -> None:
        stage = self.stage
        surfaces = ["sts", "iamcredentials", "iamcredentials"] if impersonate else ["sts", "iamcredentials"]
        variables = {CREDENTIALS: self.credentials(source(), impersonate), EXECUTABLES: 1}
        with environment(variables), stage.control.allows(*surfaces):
            client = iam_credentials_v1.IAMCredentialsClient(transport=transport)
            answer = client.generate_id_token(
                name=f"projects/-/serviceAccounts/{stage.deployer}",
                audience=stage.ledger,
                include_email=True,
                retry=None,
            )
        of_deployer(stage, answer.token, stage.ledger)

    def default(self, source: dict, impersonate: bool):
        """Application Default Credentials where no variable names the project."""
        with environment({CREDENTIALS: self.credentials(source, impersonate), PROJECT: None, EXECUTABLES: 1}):
            return google.auth.default(scopes=[CLOUD])

    def project(self, impersonate: bool) -> None:
        _, project = self.default(self.sources()["file, text"](), impersonate)
        equal(project, self.stage.owner.project, "the project that the library found")

    def no_project(self) -> None:
        """The library goes on without a project when it may not look."""
        stage = self.stage
        with environment({CREDENTIALS: stage.build(sub="nightly"), PROJECT: None}):
            with stage.control.refuses("cloudresourcemanager", "permission"):
                credentials, project = google.auth.default(scopes=[CLOUD])
        equal(project, None, "the project that the library found")
        require(credentials.valid, "the credentials are not valid")

    def session(self, impersonate: bool) -> None:
        credentials, _ = self.default(self.sources()["file, text"](), impersonate)
        session = AuthorizedSession(credentials)
        url = f"https://cloudresourcemanager.googleapis.com/v1/projects/{self.stage.owner.project}"
        answer = session.get(url, timeout=30)
        equal(answer.status_code, 200, f"the status of {answer.text}")
        equal(answer.json()["projectNumber"], self.stage.owner.number, "the project number")

    def refresh(self, source: dict) -> None:
        """Exchanges the source's token once."""
        with environment({EXECUTABLES: 1}):
            config = self.credentials(source, False)
            credentials, _ = google.auth.load_credentials_from_file(str(config), scopes=[CLOUD])
            credentials.refresh(Request())
        require(credentials.valid, "the credentials are not valid")

    def lifetime(self) -> None:
        """The lifetime that the file asks for comes out."""
        source = text_file(self.stage.path("token.txt"), self.stage.provider.token())
        config = self.credentials(source, True)
        impersonation = {"service_account_impersonation": {"token_lifetime_seconds": 1200}}
        config.write_text(json.dumps({**json.loads(config.read_text()), **impersonation}))
        credentials, _ = google.auth.load_credentials_from_file(str(config), scopes=[CLOUD])
        credentials.refresh(Request())
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)  # as the library keeps times
        left = (credentials.expiry - now).total_seconds()
        require(1190 <= left <= 1201, f"the access token has {left} seconds, not 1200")

    def id_token_type(self) -> None:
        """A subject token may be called an ID token too."""
        source = text_file(self.stage.path("token.txt"), self.stage.provider.token())
        file = self.stage.provider.file(self.stage.path("credentials.json"), source, token_type=ID_TOKEN)
        credentials, _ = google.auth.load_credentials_from_file(str(file), scopes=[CLOUD])
        with self.stage.control.allows("sts"):
            credentials.refresh(Request())

    def left_behind(self) -> None:
        """What an earlier run of the command has left in its output file is used, and the command is not run."""
        output = self.stage.path("answer.json")
        answer = {"version": 1, "success": True, "token_type": JWT, "id_token": self.stage.provider.token()}
        output.write_text(json.dumps({**answer, "expiration_time": int(time.time()) + 600}))
        source = executable(self.stage.path("token.txt"), "not a token", "nobody's", output_file=str(output))
        with self.stage.control.allows("sts"):
            self.refresh(source)

    def says_no(self) -> None:
        source = executable(self.stage.path("token.txt"), self.stage.provider.token(), "another audience")
        words = "Executable returned unsuccessful response: code: 401, message: asked for another audience."
        with raises(RefreshError, words):
            self.refresh(source)

    def not_allowed(self) -> None:
        with raises(ValueError, "Executables need to be explicitly allowed"), environment({EXECUTABLES: None}):
            config = self.credentials(self.executable(), False)
            credentials, _ = google.auth.load_credentials_from_file(str(config), scopes=[CLOUD])
            credentials.refresh(Request())

    def without_header(self) -> None:
        self.stage.server.token = self.stage.provider.token()
        with raises(RefreshError, "Unable to retrieve Identity Pool subject token"):
            self.refresh(self.stage.server.source("text", headers={}))


def cases(stage: Stage) -> Iterator[Case]:
    flow = Federation(stage)
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        for impersonate in (False, True):
            how = "impersonated" if impersonate else "federated"
            for name, source in flow.sources().items():
                trial = lambda s=source, i=impersonate, t=transport: flow.id_token(s, i, t)
                yield Case("google-cloud-iam", f"{how} workload, {word}", f"ID token, {name}", trial)
    for impersonate in (False, True):
        path = "default credentials, " + ("impersonated" if impersonate else "federated")
        yield Case("google-auth", path, "project looked up by its number", lambda i=impersonate: flow.project(i))
        yield Case("google-auth", path, "AuthorizedSession to Resource Manager", lambda i=impersonate: flow.session(i))
    path = "default credentials, federated"
    yield Case("google-auth", path, "no project where the workload may not look", flow.no_project)
    yield Case("google-auth", "default credentials, impersonated", "lifetime of 20 minutes", flow.lifetime)
    yield Case("google-auth", "default credentials, federated", "subject token called ID token", flow.id_token_type)
    yield Case("google-auth", "executable source", "what it has left behind", flow.left_behind)
    yield Case("google-auth", "executable source", "the command says no", flow.says_no)
    yield Case("google-auth", "executable source", "not allowed by the environment", flow.not_allowed)
    yield Case("google-auth", "url source", "without the header", flow.without_header)
