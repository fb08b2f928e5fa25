"""Where a credential file may get its subject token from."""

import http.server
import json
import pathlib
import shlex
import sys
import threading

PRINT_TOKEN = pathlib.Path(__file__).with_name("print_token.py")


class TokenServer:
    """An address on loopback that gives the subject token to whoever knows the secret header.

    `/text` gives the bare token, `/json` an object that holds it.
    """

    HEADERS = {"x-build-secret": "let me in"}

    def __init__(self) -> None:
        outer = self
        self.token = ""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = all(self.headers.get(name) == value for name, value in outer.HEADERS.items())
                bodies = {"/text": outer.token, "/json": json.dumps({"build": "7", "oidc_token": outer.token})}
                body = bodies.get(self.path, "")
                self.send_response(403 if not known else 200 if body else 404)
                self.send_header("content-length", str(len(body) if known else 0))
                self.end_headers()
                if known:
                    self.wfile.write(body.encode())

            def log_message(self, *_) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def source(self, form: str, headers: dict | None = None) -> dict:
        source = {"url": f"{self.url}/{form}", "headers": self.HEADERS if headers is None else headers}
        return source if form == "text" else {**source, "format": JSON}


JSON = {"type": "json", "subject_token_field_name": "oidc_token"}


def text_file(path: pathlib.Path, token: str) -> dict:
    # With the line break that most tools leave behind; the library sends it too.
    path.write_text(token + "\n")
    return {"file": str(path)}


def json_file(path: pathlib.Path, token: str) -> dict:
    path.write_text(json.dumps({"build": "7", "oidc_token": token}))
    return {"file": str(path), "format": JSON}


def executable(path: pathlib.Path, token: str, audience: str, **options) -> dict:
    """A command that gives the token, but only for `audience`."""
    path.write_text(token)
    command = shlex.join([sys.executable, str(PRINT_TOKEN), str(path), audience])
    return {"executable": {"command": command, "timeout_millis": 5000, **options}}
