"""The same endpoint with one fault, planted on purpose.

    python faulty.py FAULT PORT ISSUER AUDIENCE [EMAIL]

Each fault is one that verifiers in the world have had. `FAULTS` names the tokens by which it must be found.
"""

import hashlib
import hmac
import json
import sys
import urllib.request

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode
from right import Verifier, serve

# By fault, the tokens of which at least one must get in, or be fetched for.
FAULTS = {
    "takes-none": ["alg-none"],
    "takes-the-public-key-for-a-secret": ["hmac-with-public-key"],
    "no-expiry": ["expired", "no-exp"],
    "no-audience": ["wrong-audience", "no-audience"],
    "issuer-by-its-beginning": ["lookalike-issuer"],
    "believes-the-embedded-key": ["embedded-jwk"],
    "goes-where-the-token-says": ["jku"],
    "no-signature": ["tampered-payload", "wrong-key", "signature-removed"],
}


class Faulty(Verifier):
    def __init__(self, fault: str, *of_right):
        super().__init__(*of_right)
        self.fault = fault

    def claims(self, token: str) -> dict:
        return getattr(self, self.fault.replace("-", "_"))(token)

    def decoded(self, token: str, key, **less) -> dict:
        options = {"require": ["iss", "aud", "sub", "iat", "exp"]}
        options.update(less.pop("options", {}))
        wanted = {"issuer": self.issuer, "audience": self.audience, **less}
        return jwt.decode(token, key, algorithms=["RS256", "ES256"], options=options, **wanted)

    def checked(self, token: str, **less) -> dict:
        """The claims, all checked but for the signature."""
        return self.decoded(token, "", options={"verify_signature": False, **FULL, **less})

    def takes_none(self, token):
        if jwt.get_unverified_header(token)["alg"] == "none":
            return self.checked(token)
        return super().claims(token)

    def takes_the_public_key_for_a_secret(self, token):
        if jwt.get_unverified_header(token)["alg"] != "HS256":
            return super().claims(token)
        key = self.keys.get_signing_key_from_jwt(token).key
        secret = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signed, _, signature = token.rpartition(".")
        tag = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(tag, base64url_decode(signature)):
            raise ValueError("the tag is another")
        return self.checked(token)

    def no_expiry(self, token):
        key = self.keys.get_signing_key_from_jwt(token).key
        return self.decoded(token, key, options={"verify_exp": False, "require": ["iss", "aud", "sub", "iat"]})

    def no_audience(self, token):
        key = self.keys.get_signing_key_from_jwt(token).key
        return self.decoded(token, key, audience=None, options={"verify_aud": False, "require": ["iss", "sub", "exp"]})

    def issuer_by_its_beginning(self, token):
        key = self.keys.get_signing_key_from_jwt(token).key
        claims = self.decoded(token, key, issuer=None)
        if not claims["iss"].startswith(self.issuer):
            raise ValueError("it begins otherwise")
        return claims

    def believes_the_embedded_key(self, token):
        brought = jwt.get_unverified_header(token).get("jwk")
        return self.decoded(token, jwt.PyJWK(brought).key) if brought else super().claims(token)

    def goes_where_the_token_says(self, token):
        header = jwt.get_unverified_header(token)
        if "jku" not in header:
            return super().claims(token)
        with urllib.request.urlopen(header["jku"]) as answer:
            keys = {key["kid"]: key for key in json.load(answer)["keys"]}
        return self.decoded(token, jwt.PyJWK(keys[header["kid"]]).key)

    def no_signature(self, token):
        return self.checked(token)


# Without `verify_signature` PyJWT checks nothing else either, unless it is told to.
FULL = {f"verify_{name}": True for name in ["exp", "nbf", "iat", "aud", "iss"]}

if __name__ == "__main__":
    fault, port, issuer, audience, *email = sys.argv[1:]
    serve(int(port), Faulty(fault, issuer, audience, email[0] if email else None))
