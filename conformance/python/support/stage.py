"""What all cases stand on: the owner, the rig's control address, a workload, and a folder for files."""

import itertools
import json
import pathlib

from google.auth import jwt
from google.cloud import iam_admin_v1

from .rig import Control, Owner
from .sources import TokenServer, text_file
from .verdict import require
from .workload import Provider


class Stage:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.numbers = itertools.count()
        self.owner = Owner()
        self.control = Control()
        self.provider = Provider.read(self.owner, "build", "trusted")
        self.closed = Provider.read(self.owner, "build", "closed")
        self.server = TokenServer()
        self.ledger = self.owner.service("ledger")
        self.deployer = self.owner.email("deployer")
        self.stranger = self.owner.email("stranger")
        self.admin = iam_admin_v1.IAMClient(credentials=self.owner.credentials)
        self.key = self.new_key(self.deployer)

    def path(self, name: str) -> pathlib.Path:
        """A path of its own for a file of this name."""
        folder = self.folder / str(next(self.numbers))
        folder.mkdir()
        return folder / name

    def new_key(self, account: str) -> pathlib.Path:
        """The file of a new key of `account`, as the IAM API gives it."""
        answer = self.admin.create_service_account_key(name=f"projects/-/serviceAccounts/{account}")
        path = self.path("key.json")
        path.write_bytes(answer.private_key_data)
        return path

    def build(self, provider: Provider | None = None, impersonate: str | None = None, **claims) -> pathlib.Path:
        """The credential file of a build, whose subject token stands in a file and differs by `claims`."""
        provider = provider or self.provider
        source = text_file(self.path("token.txt"), provider.token(**claims))
        return provider.file(self.path("credentials.json"), source, impersonate)


def of_deployer(stage: Stage, token: str, audience: str) -> None:
    """An ID token must be the deployer's, with e-mail, for `audience`."""
    claims = jwt.decode(token, verify=False)
    found = {name: claims.get(name) for name in ("iss", "email", "email_verified", "aud")}
    wanted = {"iss": "https://accounts.google.com", "email": stage.deployer, "email_verified": True, "aud": audience}
    require(found == wanted, f"the ID token says {json.dumps(found)}, not {json.dumps(wanted)}")
