"""An endpoint that lets in whoever shows an ID token of one issuer for one audience, checked as the standards say.

    python right.py PORT ISSUER AUDIENCE [EMAIL]

It finds the issuer's keys by discovery, as any relying party does, and knows nothing of the rig.
"""

import json
import ssl
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt


def keys_of(issuer: str) -> jwt.PyJWKClient:
    discovery = issuer + "/.well-known/openid-configuration"
    with urllib.request.urlopen(discovery, context=ssl.create_default_context()) as answer:
        return jwt.PyJWKClient(json.load(answer)["jwks_uri"])


class Verifier:
    """What an endpoint knows of the tokens that it takes."""

    def __init__(self, issuer: str, audience: str, email: str | None):
        self.issuer, self.audience, self.email = issuer, audience, email
        self.keys = keys_of(issuer)

    def claims(self, token: str) -> dict:
        key = self.keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token,
            key.key,
            algorithms=["RS256", "ES256"],
            issuer=self.issuer,
            audience=self.audience,
            options={"require": ["iss", "aud", "sub", "iat", "exp"]},
        )

    def lets_in(self, token: str) -> bool:
        try:
            claims = self.claims(token)
        # A library raises more than its own errors at what it was never meant to read: none of it opens the door.
        except Exception:
            return False
        return self.email is None or (claims.get("email") == self.email and claims.get("email_verified") is True)


def serve(port: int, verifier: Verifier) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            status = 200 if scheme.lower() == "bearer" and verifier.lets_in(token.strip()) else 401
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    port, issuer, audience, *email = sys.argv[1:]
    serve(int(port), Verifier(issuer, audience, email[0] if email else None))
