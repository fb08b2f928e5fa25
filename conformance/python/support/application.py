"""An application of its own that takes tokens of Google and verifies them: one of `conformance/verifiers`."""

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator

PROGRAM = pathlib.Path(__file__).parents[2] / "verifiers" / "python" / "verifier.py"
# What its tokens are for.
AUDIENCE = "https://application.example.com"
# The functions that it may verify with.
FUNCTIONS = ("verify_oauth2_token", "verify_token")


@contextlib.contextmanager
def application(function: str, account: str) -> Iterator[str]:
    """Its URL, while it listens. It lets in ID tokens of `account` for `AUDIENCE`."""
    command = [sys.executable, str(PROGRAM), AUDIENCE, account, "--function", function]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/called"
        finally:
            process.terminate()
