"""A build that is known to its own OpenID provider, and the credential files that tell Google's libraries of it."""

import dataclasses
import json
import pathlib
import time

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.auth.crypt import RSASigner

from .rig import Owner

JWT = "urn:ietf:params:oauth:token-type:jwt"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclasses.dataclass
class Provider:
    """A provider of a workload identity pool."""

    name: str
    issuer: str

    @classmethod
    def read(cls, owner: Owner, pool: str, provider: str) -> "Provider":
        name = f"projects/{owner.number}/locations/global/workloadIdentityPools/{pool}/providers/{provider}"
        return cls(name, owner.get(f"https://iam.googleapis.com/v1/{name}")["oidc"]["issuerUri"])

    @property
    def audience(self) -> str:
        """What a subject token must be for, unless the provider says otherwise."""
        return f"https://iam.googleapis.com/{self.name}"

    def claims(self, **changes) -> dict:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.audience, "sub": "release", "branch": "main"}
        return {**claims, "iat": now, "exp": now + 3600, **changes}

    def token(self, **changes) -> str:
        """A subject token, signed by the provider's own issuer."""
        response = requests.post(f"{self.issuer}/token", json=self.claims(**changes), timeout=30)
        response.raise_for_status()
        return response.text

    def forged(self, token: str) -> str:
        """The same token, with its key id, signed with a key that the issuer does not have."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        header = jwt.decode_header(token)
        signer = RSASigner(key, key_id=header["kid"])
        return jwt.encode(signer, jwt.decode(token, verify=False), header=header).decode()

    def file(
        self, path: pathlib.Path, source: dict, impersonate: str | None = None, token_type: str = JWT
    ) -> pathlib.Path:
        """What `gcloud iam workload-identity-pools create-cred-config` writes."""
        config = {
            "universe_domain": "googleapis.com",
            "type": "external_account",
            "audience": f"//iam.googleapis.com/{self.name}",
            "subject_token_type": token_type,
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": source,
        }
        if impersonate:
            account = f"projects/-/serviceAccounts/{impersonate}"
            config["service_account_impersonation_url"] = (
                f"https://iamcredentials.googleapis.com/v1/{account}:generateAccessToken"
            )
        else:
            config["token_info_url"] = "https://sts.googleapis.com/v1/introspect"
        path.write_text(json.dumps(config))
        return path
