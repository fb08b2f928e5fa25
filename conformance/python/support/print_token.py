"""The command of an executable source: prints the subject token of a file, as the library wants it.

    print_token.py FILE AUDIENCE

It refuses, in the library's own form, when it was not told the audience that it should serve.
"""

import json
import os
import pathlib
import sys
import time


def main() -> None:
    file, audience = sys.argv[1:]
    answer = {"version": 1, "success": False, "code": "401", "message": "asked for another audience"}
    if os.environ.get("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE") == audience:
        answer = {
            "version": 1,
            "success": True,
            "token_type": os.environ["GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"],
            "id_token": pathlib.Path(file).read_text(),
            "expiration_time": int(time.time()) + 3600,
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
