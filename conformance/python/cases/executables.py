"""What an executable source may answer, in every version and form, what it leaves behind, and how long it may take."""

import json
import pathlib
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator

import google.auth
from google.auth.exceptions import MalformedError, OAuthError, RefreshError
from google.auth.transport.requests import Request

from support.environment import EXECUTABLES, environment
from support.rig import CLOUD
from support.stage import Stage
from support.verdict import Case, raises, require
from support.workload import ID_TOKEN, JWT


class Executables:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def answer(self, **changes) -> dict:
        """A good answer, with changes; `None` takes a member away."""
        good = {
            "version": 1,
            "success": True,
            "token_type": JWT,
            "id_token": self.stage.provider.token(),
            "expiration_time": int(time.time()) + 3600,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def written(self, answer: dict) -> pathlib.Path:
        path = self.stage.path("answer.json")
        path.write_text(json.dumps(answer))
        return path

    def exchange(self, command: str, **options) -> None:
        """Exchanges what the command answers with."""
        source = {"executable": {"command": command, "timeout_millis": 5000, **options}}
        config = self.stage.provider.file(self.stage.path("credentials.json"), source)
        with environment({EXECUTABLES: 1}):
            credentials, _ = google.auth.load_credentials_from_file(str(config), scopes=[CLOUD])
            credentials.refresh(Request())
        require(credentials.valid, "the credentials are not valid")

    def prints(self, answer: dict) -> None:
        self.exchange(shlex.join(["cat", str(self.written(answer))]))

    def taken(self, answer: dict) -> None:
        with self.stage.control.allows("sts"):
            self.prints(answer)

    def version(self) -> None:
        with raises(RefreshError, "Executable returned unsupported version 2."):
            self.prints(self.answer(version=2))

    def no_version(self) -> None:
        with raises(MalformedError, "missing the version field"):
            self.prints(self.answer(version=None))

    def expired(self) -> None:
        with raises(RefreshError, "The token returned by the executable is expired."):
            self.prints(self.answer(expiration_time=int(time.time()) - 1))

    def refused(self) -> None:
        """The answer is one that the library likes, and its token one that STS does not."""
        with raises(OAuthError, "invalid_grant"), self.stage.control.refuses("sts", "times"):
            self.prints(self.answer(id_token=self.stage.provider.token(iat=1, exp=2)))

    def into_the_file(self) -> None:
        """The command prints nothing and leaves its answer in the output file."""
        output = self.stage.path("output.json")
        copy = shlex.join(["cp", str(self.written(self.answer())), str(output)])
        with self.stage.control.allows("sts"):
            self.exchange(copy, output_file=str(output))

    def left_behind_too_old(self) -> None:
        """An answer whose time is over is not used: the command runs again."""
        output = self.written(self.answer(id_token="not a token", expiration_time=int(time.time()) - 1))
        with self.stage.control.allows("sts"):
            self.exchange(shlex.join(["cat", str(self.written(self.answer()))]), output_file=str(output))

    def left_behind_without_end(self) -> None:
        """An answer that does not say when it ends is not kept."""
        output = self.written(self.answer(id_token="not a token", expiration_time=None))
        with self.stage.control.allows("sts"):
            self.exchange(shlex.join(["cat", str(self.written(self.answer()))]), output_file=str(output))

    def too_long(self) -> None:
        wait = shlex.join([sys.executable, "-c", "import time; time.sleep(30)"])
        with raises(subprocess.TimeoutExpired, "timed out after 5.0 seconds"):
            self.exchange(wait)

    def fails(self) -> None:
        with raises(RefreshError, "Executable exited with non-zero return code 3."):
            self.exchange(shlex.join(["sh", "-c", "exit 3"]))


def cases(stage: Stage) -> Iterator[Case]:
    flow = Executables(stage)
    trials = {
        "version 1, a JWT": lambda: flow.taken(flow.answer()),
        "version 1, an ID token": lambda: flow.taken(flow.answer(token_type=ID_TOKEN)),
        "version 1, without its end": lambda: flow.taken(flow.answer(expiration_time=None)),
        "version 2": flow.version,
        "no version": flow.no_version,
        "an answer whose time is over": flow.expired,
        "a token whose time is over": flow.refused,
        "an answer in the output file alone": flow.into_the_file,
        "an output file that is too old": flow.left_behind_too_old,
        "an output file without an end": flow.left_behind_without_end,
        "a command that takes too long": flow.too_long,
        "a command that fails": flow.fails,
    }
    for name, trial in trials.items():
        yield Case("google-auth", "executable source", name, trial)
