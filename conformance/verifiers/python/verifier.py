"""An application of its own that takes tokens of Google: it verifies them with the library's own function.

    python verifier.py AUDIENCE ACCOUNT [--function verify_oauth2_token|verify_token]

Listens on a free port of this machine and prints it. A request gets 204 if its bearer token is an ID token of Google for
AUDIENCE whose e-mail address is ACCOUNT, and else 401 with the reason. That the signature and the audience are good is not
enough: anybody can have a token made for any audience.
"""

import argparse
import http.server

import jwt
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import id_token

JWK_SET = "https://www.googleapis.com/oauth2/v3/certs"


def claims_of(token: str, audience: str, function: str) -> dict:
    if function == "verify_oauth2_token":
        return id_token.verify_oauth2_token(token, Request(), audience)
    claims = id_token.verify_token(token, Request(), audience, certs_url=JWK_SET)
    # This function looks at no issuer.
    if claims.get("iss") not in ("https://accounts.google.com", "accounts.google.com"):
        raise ValueError(f"issued by {claims.get('iss')}")
    return claims


def why_not(header: str, wanted: argparse.Namespace) -> str | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "no bearer token"
    try:
        claims = claims_of(token, wanted.audience, wanted.function)
    # With JSON Web Keys the library verifies by PyJWT, whose errors are its own.
    except (ValueError, GoogleAuthError, jwt.PyJWTError) as error:
        return str(error)
    if claims.get("email") != wanted.account or claims.get("email_verified") is not True:
        return f"the token is one of {claims.get('email')}"
    return None


def handler(wanted: argparse.Namespace) -> type[http.server.BaseHTTPRequestHandler]:
    class Verifier(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            why = why_not(self.headers.get("authorization", ""), wanted)
            body = (why or "").encode()
            self.send_response(401 if why else 204)
            if why:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if why:
                self.wfile.write(body)

        do_GET = do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            pass

    return Verifier


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("audience")
    parser.add_argument("account")
    parser.add_argument("--function", default="verify_oauth2_token", choices=["verify_oauth2_token", "verify_token"])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(parser.parse_args()))
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
