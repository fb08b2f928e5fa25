"""Many calls at once, by one client."""

import asyncio
import concurrent.futures
from collections.abc import Iterator

from google.cloud import iam_credentials_v1
from google.oauth2 import service_account

from support.rig import CLOUD
from support.stage import Stage, of_deployer
from support.verdict import Case, equal

CALLS = 40


class AtOnce:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.name = f"projects/-/serviceAccounts/{stage.deployer}"
        self.key = service_account.Credentials.from_service_account_file(str(stage.key), scopes=[CLOUD])

    def request(self, number: int) -> dict:
        return {"name": self.name, "audience": f"https://shop-{number}.example", "include_email": True}

    def check(self, answers: list) -> None:
        """Each call has got the token that it has asked for."""
        equal(len(answers), CALLS, "the number of answers")
        for number, answer in enumerate(answers):
            of_deployer(self.stage, answer.token, f"https://shop-{number}.example")

    def threads(self, transport: str) -> None:
        client = iam_credentials_v1.IAMCredentialsClient(credentials=self.key, transport=transport)
        call = lambda number: client.generate_id_token(request=self.request(number), retry=None)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.check(list(pool.map(call, range(CALLS))))

    def tasks(self) -> None:
        async def calls() -> list:
            client = iam_credentials_v1.IAMCredentialsAsyncClient(credentials=self.key)
            made = [client.generate_id_token(request=self.request(number), retry=None) for number in range(CALLS)]
            return await asyncio.gather(*made)

        self.check(asyncio.run(calls()))


def cases(stage: Stage) -> Iterator[Case]:
    many = AtOnce(stage)
    yield Case("google-cloud-iam", "at once, gRPC", "16 threads", lambda: many.threads("grpc"))
    yield Case("google-cloud-iam", "at once, gRPC", "asyncio", many.tasks)
    yield Case("google-cloud-iam", "at once, REST", "16 threads", lambda: many.threads("rest"))
