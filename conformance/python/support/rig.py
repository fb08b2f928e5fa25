"""The rig, seen as the project's owner sees Google, and by its control address."""

import contextlib
import os
import time

import google.auth
import requests
from google.auth.transport.requests import AuthorizedSession

from .verdict import equal, require

REGION = "us-central1"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
# How long an attempt is waited for, in seconds.
PATIENCE = 20.0


class Owner:
    """The owner of the project, which is what default credentials are."""

    def __init__(self) -> None:
        self.credentials, self.project = google.auth.default(scopes=[CLOUD])
        self.session = AuthorizedSession(self.credentials)
        project = self.get(f"https://cloudresourcemanager.googleapis.com/v1/projects/{self.project}")
        self.number = project["projectNumber"]

    def get(self, url: str) -> dict:
        response = self.session.get(url, timeout=30)
        response.raise_for_status()
        return response.json()

    def service(self, name: str) -> str:
        """The URL of a Cloud Run service."""
        path = f"projects/{self.project}/locations/{REGION}/services/{name}"
        return self.get(f"https://run.googleapis.com/v2/{path}")["uri"]

    def email(self, account: str) -> str:
        return f"{account}@{self.project}.iam.gserviceaccount.com"


class Control:
    """The rig's control address: what it decided since the last look, and its clock."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # the control address is reached without the proxy
        self.url = os.environ["TOKENRIG_URL"].rstrip("/")
        self.seen = 0

    def new(self) -> list[dict]:
        """The decisions since the last look."""
        response = self.session.get(f"{self.url}/decisions", params={"since": self.seen}, timeout=30)
        response.raise_for_status()
        decisions = response.json()["decisions"]
        self.seen = max([self.seen, *(decision["seq"] for decision in decisions)])
        return decisions

    @contextlib.contextmanager
    def refuses(self, surface: str, check: str):
        """What is done inside is refused at `surface`, and `check` is the reason."""
        self.new()
        yield
        refused = {(decision["surface"], failed(decision)) for decision in self.new() if failed(decision)}
        require((surface, check) in refused, f"the rig refused for {refused or 'nothing'}, not for {surface} {check}")

    @contextlib.contextmanager
    def allows(self, *surfaces: str):
        """What is done inside passes these surfaces, in this order, and nothing is refused."""
        self.new()
        yield
        made = self.new()
        refused = {(decision["surface"], failed(decision)) for decision in made if failed(decision)}
        equal(refused, set(), "what the rig refused")
        passed = iter(decision["surface"] for decision in made)
        for surface in surfaces:
            require(surface in passed, f"{surface} was not asked: {[decision['surface'] for decision in made]}")

    def attempts(self, resource: str, count: int = 1) -> list[dict]:
        """The attempts for a job or a task, once there are so many that have ended: the rig makes them as its clock runs."""
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.session.get(f"{self.url}/attempts", timeout=30)
            ended = [one for one in answer.json()["attempts"] if one["resource"] == resource and "ended" in one]
            if len(ended) >= count:
                return ended
            require(time.monotonic() < until, f"{resource} was attempted {len(ended)} times")
            time.sleep(0.05)

    def advance(self, duration: str) -> None:
        """Moves the rig's clock; that of this process stays."""
        answer = self.session.post(f"{self.url}/clock/advance", json={"duration": duration}, timeout=30)
        answer.raise_for_status()


def failed(decision: dict) -> str | None:
    """The check that gave the answer of a refusal."""
    return next((check["name"] for check in decision["checks"] if not check["ok"]), None)
