"""Proves `attack` against an endpoint that is right and against one with eight planted faults: all eight found, no false
alarm, for tokens of Google and of a provider of one's own.

    python suite.py TOKENRIG

`TOKENRIG` is the program that has the command. Each case is one line of JSON on stdout, as in the other suites.
"""

import importlib.metadata
import json
import pathlib
import socket
import subprocess
import sys

from faulty import FAULTS

HERE = pathlib.Path(__file__).parent
GIVEN = HERE / "suite.given.yaml"
AUDIENCE = "https://app.example"
ACCOUNT = "caller@shop-test.iam.gserviceaccount.com"
# By signer: what the command is told of it, and what the endpoint is.
SIGNERS = {
    "google": (["--account", ACCOUNT], ["https://accounts.google.com", AUDIENCE, ACCOUNT]),
    "corp": ([], ["https://login.corp.example", AUDIENCE]),
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def attacked(tokenrig: str, signer: str, endpoint: list[str]) -> tuple[int, dict]:
    """The exit code, and by token what became of it."""
    told, about = SIGNERS[signer]
    port = str(free_port())
    call = [tokenrig, "attack", "--url", f"http://127.0.0.1:{port}/", "--audience", AUDIENCE, "--issuer", signer]
    call += [*told, "--given", str(GIVEN), "--json", "--", sys.executable, *endpoint, port, *about]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1):
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    return done.returncode, {shot["name"]: shot for shot in json.loads(done.stdout)["shots"]}


def right(tokenrig: str, signer: str) -> str | None:
    code, shots = attacked(tokenrig, signer, [str(HERE / "right.py")])
    alarms = [name for name, shot in shots.items() if shot["verdict"] in ("WRONG", "BROKE")]
    return f"false alarm: {alarms}" if code or alarms else None


def faulty(tokenrig: str, signer: str, fault: str) -> str | None:
    code, shots = attacked(tokenrig, signer, [str(HERE / "faulty.py"), fault])
    wrong = {name for name, shot in shots.items() if shot["verdict"] == "WRONG"}
    found = [name for name in FAULTS[fault] if name in wrong]
    return None if code == 1 and found else f"not found; what was: {sorted(wrong)}"


def main() -> int:
    tokenrig = sys.argv[1]
    version = importlib.metadata.version("pyjwt")
    failures = 0
    for signer in SIGNERS:
        trials = [("an endpoint that is right", lambda: right(tokenrig, signer))]
        trials += [(fault, lambda fault=fault: faulty(tokenrig, signer, fault)) for fault in FAULTS]
        for name, trial in trials:
            try:
                why = trial()
            except Exception as fault:
                why = f"{type(fault).__name__}: {fault}"
            failures += why is not None
            line = {"client": "pyjwt", "version": version, "path": f"tokens of {signer}", "case": name}
            print(json.dumps({**line, "ok": why is None, "why": why}), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
