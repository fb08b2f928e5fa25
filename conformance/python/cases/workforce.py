"""People of a workforce pool, by the programmatic exchange: `workforce_pool_user_project` says which project pays."""

import json
import pathlib
from collections.abc import Iterator

import google.auth
from google.api_core.exceptions import Forbidden
from google.auth import exceptions, identity_pool
from google.auth.transport.requests import Request
from google.cloud import iam_credentials_v1

from support.rig import CLOUD
from support.sources import text_file
from support.stage import Stage, of_deployer
from support.verdict import Case, raises, require
from support.workload import ID_TOKEN

PROVIDER = "locations/global/workforcePools/employees/providers/login"


class Workforce:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def credentials(self, subject: str, audience: str = PROVIDER, **claims) -> identity_pool.Credentials:
        stage = self.stage
        token = stage.provider.token(sub=subject, **{"aud": "shop-cli", **claims})
        return identity_pool.Credentials(
            audience=f"//iam.googleapis.com/{audience}",
            subject_token_type=ID_TOKEN,
            token_url="https://sts.googleapis.com/v1/token",
            credential_source=text_file(stage.path("token.txt"), token),
            workforce_pool_user_project=stage.owner.number,
            scopes=[CLOUD],
        )

    def id_token(self, subject: str, transport: str) -> None:
        stage = self.stage
        client = iam_credentials_v1.IAMCredentialsClient(credentials=self.credentials(subject), transport=transport)
        answer = client.generate_id_token(
            name=f"projects/-/serviceAccounts/{stage.deployer}", audience=stage.ledger, include_email=True, retry=None
        )
        of_deployer(stage, answer.token, stage.ledger)

    def lets_in(self, transport: str) -> None:
        with self.stage.control.allows("sts", "iamcredentials"):
            self.id_token("alice", transport)

    def no_quota(self, transport: str) -> None:
        """Bob may act as the account, but the project does not pay for him."""
        with raises(Forbidden, "serviceusage.services.use"), self.stage.control.refuses("iamcredentials", "permission"):
            self.id_token("bob", transport)

    def another_client(self) -> None:
        with raises(exceptions.OAuthError, "does not match the expected audience"):
            self.credentials("alice", aud="other-cli").refresh(Request())

    def info(self) -> None:
        """The library tells a workforce pool from a workload pool by the audience."""
        require(self.credentials("alice").is_workforce_pool, "the library takes it for no workforce pool")

    def of_a_workload_pool(self) -> None:
        with raises(ValueError, "workforce_pool_user_project should not be set for non-workforce pool credentials"):
            self.credentials("alice", audience=self.stage.provider.name)

    def by_file(self) -> None:
        file: pathlib.Path = self.stage.path("credentials.json")
        credentials = self.credentials("alice")
        file.write_text(json.dumps({"type": "external_account", **credentials.info}))
        loaded, _ = google.auth.load_credentials_from_file(str(file), scopes=[CLOUD])
        with self.stage.control.allows("sts"):
            loaded.refresh(Request())


def cases(stage: Stage) -> Iterator[Case]:
    flow = Workforce(stage)
    transports = [("grpc", "gRPC"), ("rest", "REST")]
    for transport, word in transports:
        trial = lambda t=transport: flow.lets_in(t)
        yield Case("google-cloud-iam", f"workforce, {word}", "ID token, the project pays", trial)
    path = "workforce"
    yield Case("google-auth", path, "known as a workforce pool", flow.info)
    yield Case("google-auth", path, "credentials written to a file and read again", flow.by_file)
    yield Case("google-auth", path, "ID token for another client", flow.another_client)
    yield Case("google-auth", path, "a project for a workload pool", flow.of_a_workload_pool)
    # Last, because the library looks up the pool's locations behind one's back, and is refused that, too.
    for transport, word in transports:
        trial = lambda t=transport: flow.no_quota(t)
        yield Case("google-cloud-iam", f"workforce, {word}", "the project does not pay", trial)
