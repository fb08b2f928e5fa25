"""The walk-through "Authenticating using Workload Identity Federation to Cloud Run, Cloud Functions", by `call.py`.

Its resources are `fixtures/seeds/000.given.yaml`. The client is a process of its own, as it would be for its user.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

import requests

from support.environment import CREDENTIALS
from support.sources import text_file
from support.stage import Stage
from support.verdict import Case, equal, require
from support.workload import Provider

CALL = pathlib.Path(__file__).resolve().parent.parent / "call.py"


@dataclasses.dataclass
class Row:
    """One run of the client: what differs from the good one, and what must come of it."""

    name: str
    subject: str = "alice@domain.com"
    isadmin: str = "true"
    audience: str | None = None
    # None: the service answers. Otherwise words that stderr must hold, and the surface and check that say no.
    words: tuple[str, ...] | None = None
    refused: tuple[str, str] | None = None


ROWS = [
    Row("the private service answers"),
    Row(
        "ID token for another audience",
        audience="https://billing.example.com",
        words=("401",),
        refused=("cloud-run-front", "audience"),
    ),
    Row(
        "attribute condition not met",
        isadmin="false",
        words=("unauthorized_client", "The given credential is rejected by the attribute condition."),
        refused=("sts", "condition"),
    ),
    Row(
        "subject without the role",
        subject="bob@domain.com",
        words=("403", "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"),
        refused=("iamcredentials", "permission"),
    ),
]


class WalkThrough:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.provider = Provider.read(stage.owner, "oidc-pool-run", "oidc-provider-1")
        self.service = stage.owner.service("federated-auth-cloud-run")
        self.account = stage.owner.email("oidc-federated")

    def subject_token(self, row: Row) -> str:
        """Asked for as the walk-through's curl line does: JSON, called a form."""
        now = int(time.time())
        claims = {
            "name": row.subject.split("@")[0],
            "isadmin": row.isadmin,
            "mygroups": ["group1", "group2"],
            "iss": self.provider.issuer,
            "aud": self.provider.audience,
            "sub": row.subject,
            "iat": now,
            "exp": now + 3600,
            "email": row.subject,
            "email_verified": True,
        }
        response = requests.post(
            f"{self.provider.issuer}/token",
            data=json.dumps(claims),
            headers={"content-type": "application/x-www-form-urlencoded"},
            timeout=30,
        )
        response.raise_for_status()
        return response.text

    def run(self, row: Row, transport: str) -> subprocess.CompletedProcess:
        source = text_file(self.stage.path("oidccred.txt"), self.subject_token(row))
        credentials = self.provider.file(self.stage.path("sts-creds.json"), source)
        command = [sys.executable, str(CALL), f"{self.service}/dump", "--account", self.account]
        command += ["--audience", row.audience or self.service, "--transport", transport, "--patience", "3"]
        env = {**os.environ, CREDENTIALS: str(credentials)}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=90)

    def passes(self, row: Row, transport: str) -> None:
        with self.stage.control.allows("sts", "iamcredentials", "cloud-run-front"):
            done = self.run(row, transport)
        require(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
        received = json.loads(done.stdout)
        headers = {name.lower(): value for name, value in received["headers"].items()}
        equal(received["path"], "/dump", "the path that the service saw")
        require(
            headers.get("authorization", "").endswith("SIGNATURE_REMOVED_BY_GOOGLE"),
            "the service was shown the signature of the ID token",
        )

    def fails(self, row: Row, transport: str) -> None:
        with self.stage.control.refuses(*row.refused):
            done = self.run(row, transport)
        require(done.returncode == 1, f"exit code {done.returncode}, not 1: {done.stdout}{done.stderr}")
        for words in row.words:
            require(words in done.stderr, f"`{words}` is not in what the client says: {done.stderr}")

    def without_token(self) -> None:
        """The walk-through's own first look: nobody gets in without a token."""
        with self.stage.control.refuses("cloud-run-front", "credential"):
            response = requests.get(self.service, timeout=30)
        equal(response.status_code, 403, "the status")


def cases(stage: Stage) -> Iterator[Case]:
    walk = WalkThrough(stage)
    yield Case("requests", "no credentials", "nobody gets in without a token", walk.without_token)
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        for row in ROWS:
            judge = walk.passes if row.words is None else walk.fails
            yield Case(
                "google-cloud-iam",
                f"walk-through, {word}",
                row.name,
                lambda row=row, transport=transport, judge=judge: judge(row, transport),
            )
