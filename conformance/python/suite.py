"""Runs `call.py` through federation to Cloud Run, once as it should be and once for each way to be refused.

Started inside `tokenrig exec --given fixtures/seeds/000.given.yaml`: from there on it knows only Google's host names.
Each case is one line of JSON on stdout; the exit code is 1 when a case failed.
"""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import google.auth
import requests
from google.auth.transport.requests import AuthorizedSession

HERE = pathlib.Path(__file__).resolve().parent
REGION = "us-central1"
POOL = "oidc-pool-run"
PROVIDER = "oidc-provider-1"
ACCOUNT = "oidc-federated"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"


class Failed(Exception):
    """A case did not go as it should."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


class Cloud:
    """What the walk-through asks gcloud for, asked for by the same public APIs as the project's owner."""

    def __init__(self) -> None:
        credentials, self.project = google.auth.default(scopes=[CLOUD])
        self.session = AuthorizedSession(credentials)
        self.number = self.get(f"https://cloudresourcemanager.googleapis.com/v1/projects/{self.project}")["projectNumber"]
        self.issuer = self.url_of("idp-on-cloud-run")
        self.service = self.url_of("federated-auth-cloud-run")
        self.account = f"{ACCOUNT}@{self.project}.iam.gserviceaccount.com"
        self.provider = (
            f"projects/{self.number}/locations/global/workloadIdentityPools/{POOL}/providers/{PROVIDER}"
        )

    def get(self, url: str) -> dict:
        response = self.session.get(url, timeout=30)
        response.raise_for_status()
        return response.json()

    def url_of(self, service: str) -> str:
        name = f"projects/{self.project}/locations/{REGION}/services/{service}"
        return self.get(f"https://run.googleapis.com/v2/{name}")["uri"]


class Decisions:
    """What the rig decided since the last look, from its control address."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # the control address is reached without the proxy
        self.url = os.environ["TOKENRIG_URL"].rstrip("/") + "/decisions"
        self.seen = 0

    def new(self) -> list[dict]:
        response = self.session.get(self.url, params={"since": self.seen}, timeout=30)
        response.raise_for_status()
        decisions = response.json()["decisions"]
        self.seen = max([self.seen, *(decision["seq"] for decision in decisions)])
        return decisions


@dataclasses.dataclass
class Case:
    """One run of the client: what differs from the good one, and what must come of it."""

    name: str
    subject: str = "alice@domain.com"
    isadmin: str = "true"
    audience: str | None = None
    # None: the service answers. Otherwise words that stderr must hold, and the check that says no in the rig.
    words: tuple[str, ...] | None = None
    check: str | None = None


CASES = [
    Case("the private service answers"),
    Case("ID token for another audience", audience="https://billing.example.com", words=("401",), check="audience"),
    Case(
        "attribute condition not met",
        isadmin="false",
        words=("unauthorized_client", "The given credential is rejected by the attribute condition."),
        check="condition",
    ),
    Case(
        "subject without the role",
        subject="bob@domain.com",
        words=("403", "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"),
        check="permission",
    ),
]


def subject_token(cloud: Cloud, case: Case) -> str:
    """A token of the walk-through's own provider, asked for as its curl line does: JSON, called a form."""
    now = int(time.time())
    claims = {
        "name": case.subject.split("@")[0],
        "isadmin": case.isadmin,
        "mygroups": ["group1", "group2"],
        "iss": cloud.issuer,
        "aud": f"https://iam.googleapis.com/{cloud.provider}",
        "sub": case.subject,
        "iat": now,
        "exp": now + 3600,
        "email": case.subject,
        "email_verified": True,
    }
    response = requests.post(
        f"{cloud.issuer}/token",
        data=json.dumps(claims),
        headers={"content-type": "application/x-www-form-urlencoded"},
        timeout=30,
    )
    response.raise_for_status()
    return response.text


def credential_file(cloud: Cloud, folder: pathlib.Path, token: str) -> pathlib.Path:
    """What `gcloud iam workload-identity-pools create-cred-config … --credential-source-file=…` writes."""
    source = folder / "oidccred.txt"
    source.write_text(token)
    file = folder / "sts-creds.json"
    file.write_text(
        json.dumps(
            {
                "universe_domain": "googleapis.com",
                "type": "external_account",
                "audience": f"//iam.googleapis.com/{cloud.provider}",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": "https://sts.googleapis.com/v1/token",
                "credential_source": {"file": str(source)},
                "token_info_url": "https://sts.googleapis.com/v1/introspect",
            }
        )
    )
    return file


def run(cloud: Cloud, decisions: Decisions, case: Case, transport: str) -> None:
    """One case; raises `Failed` when it does not go as it should."""
    decisions.new()
    with tempfile.TemporaryDirectory() as folder:
        credentials = credential_file(cloud, pathlib.Path(folder), subject_token(cloud, case))
        command = [sys.executable, str(HERE / "call.py"), f"{cloud.service}/dump", "--account", cloud.account]
        command += ["--audience", case.audience or cloud.service, "--transport", transport, "--patience", "3"]
        done = subprocess.run(
            command,
            env={**os.environ, "GOOGLE_APPLICATION_CREDENTIALS": str(credentials)},
            capture_output=True,
            text=True,
            timeout=90,
        )
    refused = [check["name"] for check in map(first_failed, decisions.new()) if check]

    if case.words is None:
        require(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
        received = json.loads(done.stdout)
        headers = {name.lower(): value for name, value in received["headers"].items()}
        require(received["path"] == "/dump", f"the service saw path {received['path']}")
        require(
            headers.get("authorization", "").endswith("SIGNATURE_REMOVED_BY_GOOGLE"),
            "the service was shown the signature of the ID token",
        )
    else:
        require(done.returncode == 1, f"exit code {done.returncode}, not 1: {done.stdout}{done.stderr}")
        for words in case.words:
            require(words in done.stderr, f"`{words}` is not in what the client says: {done.stderr}")
        require(case.check in refused, f"the rig refused for {refused or 'nothing'}, not for {case.check}")


def first_failed(decision: dict) -> dict | None:
    return next((check for check in decision["checks"] if not check["ok"]), None)


def without_token(cloud: Cloud, decisions: Decisions) -> None:
    """The walk-through's own first look: nobody gets in without a token."""
    response = requests.get(cloud.service, timeout=30)
    require(response.status_code == 403, f"status {response.status_code}, not 403")


def main() -> int:
    cloud = Cloud()
    decisions = Decisions()
    failures = 0

    def judge(client: str, path: str, name: str, trial) -> None:
        nonlocal failures
        why = None
        try:
            trial()
        except (Failed, requests.RequestException, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            why = f"{type(error).__name__}: {error}" if not isinstance(error, Failed) else str(error)
            failures += 1
        line = {"client": client, "version": importlib.metadata.version(client), "path": path, "case": name}
        print(json.dumps({**line, "ok": why is None, "why": why}), flush=True)

    judge("requests", "no credentials", "nobody gets in without a token", lambda: without_token(cloud, decisions))
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        for case in CASES:
            trial = lambda case=case, transport=transport: run(cloud, decisions, case, transport)
            judge("google-cloud-iam", f"file source, {word}", case.name, trial)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
