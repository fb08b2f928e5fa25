"""Runs Google's own Python libraries through federation, impersonation and Cloud Run, and through ways to be refused.

Started inside `tokenrig exec`: from there on it knows only Google's host names, and the rig's control address to see
why a request was refused. Each case is one line of JSON on stdout; the exit code is 1 when a case failed.
"""

import importlib.metadata
import json
import pathlib
import sys
import tempfile
import traceback

from cases import (
    access_tokens,
    at_once,
    executables,
    federation,
    iam_admin,
    id_tokens,
    refusals_cloud_run,
    refusals_sts,
    refusals_tokens,
    run_admin,
    scheduler,
    tasks,
    walk_through,
    workforce,
)
from support.stage import Stage
from support.verdict import Case, Failed

THEMES = [
    walk_through,
    federation,
    executables,
    id_tokens,
    access_tokens,
    at_once,
    iam_admin,
    run_admin,
    scheduler,
    tasks,
    refusals_sts,
    refusals_tokens,
    workforce,
    # Last, because it moves the clock.
    refusals_cloud_run,
]


def why_not(case: Case) -> str | None:
    try:
        case.trial()
    except Failed as failed:
        return str(failed)
    # Whatever a library raises is a result of its case, and not the end of the suite.
    except Exception:
        return traceback.format_exc(limit=-4)
    return None


def main() -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(pathlib.Path(folder))
        for theme in THEMES:
            for case in theme.cases(stage):
                why = why_not(case)
                failures += why is not None
                version = importlib.metadata.version(case.client)
                line = {"client": case.client, "version": version, "path": case.path, "case": case.name}
                print(json.dumps({**line, "ok": why is None, "why": why}), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
