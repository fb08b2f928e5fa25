"""Refusals of Cloud Run's front door, as a session of google-auth meets them.

The last ones move the rig's clock and leave this process behind in time, so nothing may come after them.
"""

from collections.abc import Iterator

from google.auth import compute_engine
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account

from support.rig import CLOUD
from support.stage import Stage
from support.verdict import Case, equal, raises, require

CHALLENGE = 'Bearer error="invalid_token" error_description="The access token could not be verified"'


class FrontDoor:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.url = f"{stage.ledger}/entries"

    def id_token(self, key, audience: str) -> service_account.IDTokenCredentials:
        return service_account.IDTokenCredentials.from_service_account_file(str(key), target_audience=audience)

    def unverifiable(self, credentials, check: str) -> None:
        with self.stage.control.refuses("cloud-run-front", check):
            response = AuthorizedSession(credentials, max_refresh_attempts=0).get(self.url, timeout=30)
        equal(response.status_code, 401, "the status")
        equal(response.headers.get("www-authenticate"), CHALLENGE, "the challenge")
        words = "Your client does not have permission to the requested URL <code>/entries</code>."
        require(words in response.text, f"the page is {response.text}")

    def forbidden(self, credentials, check: str) -> None:
        with self.stage.control.refuses("cloud-run-front", check):
            response = AuthorizedSession(credentials).get(self.url, timeout=30)
        equal(response.status_code, 403, "the status")
        equal(response.headers.get("www-authenticate"), None, "the challenge")
        words = "Your client does not have permission to get URL <code>/entries</code> from this server."
        require(words in response.text, f"the page is {response.text}")

    def audience(self) -> None:
        self.unverifiable(self.id_token(self.stage.key, "https://elsewhere.example"), "audience")

    def access_token(self) -> None:
        key = service_account.Credentials.from_service_account_file(str(self.stage.key), scopes=[CLOUD])
        key.refresh(Request())
        self.unverifiable(oauth2.Credentials(key.token), "credential")

    def no_invoker(self) -> None:
        self.forbidden(self.id_token(self.stage.new_key(self.stage.stranger), self.stage.ledger), "permission")

    def nobody(self) -> None:
        self.forbidden(AnonymousCredentials(), "credential")

    def bare_token(self) -> None:
        """A session takes 401 for expired, and says of a bare token only that it cannot refresh it."""
        key = self.id_token(self.stage.key, "https://elsewhere.example")
        key.refresh(Request())
        with self.stage.control.refuses("cloud-run-front", "audience"):
            words = "The credentials do not contain the necessary fields need to refresh the access token."
            with raises(RefreshError, words):
                AuthorizedSession(oauth2.Credentials(key.token)).get(self.url, timeout=30)

    # From here on the rig's clock runs ahead.

    def expired(self) -> None:
        key = self.id_token(self.stage.key, self.stage.ledger)
        key.refresh(Request())
        self.stage.control.advance("3601s")
        self.unverifiable(key, "times")

    def refreshed(self) -> None:
        """A session that is refused for an expired ID token gets another one and is let in."""
        machine = compute_engine.IDTokenCredentials(Request(), self.stage.ledger, use_metadata_identity_endpoint=True)
        session = AuthorizedSession(machine)
        equal(session.get(self.url, timeout=30).status_code, 200, "the status of the first request")
        before = machine.token
        self.stage.control.advance("3601s")
        with self.stage.control.refuses("cloud-run-front", "times"):
            response = session.get(self.url, timeout=30)
        equal(response.status_code, 200, f"the status of {response.text}")
        require(machine.token != before, "the ID token is the same")


def cases(stage: Stage) -> Iterator[Case]:
    door = FrontDoor(stage)
    rows = {
        "ID token for another audience": door.audience,
        "access token": door.access_token,
        "account without invoker": door.no_invoker,
        "no token": door.nobody,
        "bare token that cannot be refreshed": door.bare_token,
        "expired ID token": door.expired,
        "expired ID token is refreshed": door.refreshed,
    }
    for name, trial in rows.items():
        yield Case("google-auth", "refused by Cloud Run, AuthorizedSession", name, trial)
