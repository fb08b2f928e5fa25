"""Calls a private Cloud Run service the way a federated workload does, with Google's own libraries and nothing else.

    call.py URL --account EMAIL --audience AUDIENCE [--transport grpc|rest]

Application Default Credentials (an `external_account` file, as a rule) become a federated token, IAM Credentials makes
an ID token of it, and that token goes to URL. The service's JSON answer is printed. When one of the three says no, its
words go to stderr, with the status, and the exit code is 1.
"""

import argparse
import datetime
import json
import sys

import google.auth.exceptions
import google.oauth2.credentials
import jwt
from google.api_core import exceptions, gapic_v1, retry
from google.auth.transport.requests import AuthorizedSession
from google.cloud import iam_credentials_v1


def id_token(account: str, audience: str, transport: str, patience: float | None) -> str:
    """An ID token of `account` for `audience`, asked for with Application Default Credentials."""
    client = iam_credentials_v1.IAMCredentialsClient(transport=transport)
    answer = client.generate_id_token(
        name=f"projects/-/serviceAccounts/{account}",
        audience=audience,
        include_email=True,
        # Over gRPC a refused token exchange looks like an unavailable server, which the library asks again for a
        # minute.
        retry=gapic_v1.method.DEFAULT if patience is None else retry.Retry(timeout=patience),
    )
    return answer.token


def get(url: str, token: str):
    """GET `url` with `token` as bearer."""
    # A bare token cannot be refreshed. With the default of two attempts the session would try, and a plain 401 would
    # come out as an error about missing refresh fields.
    session = AuthorizedSession(google.oauth2.credentials.Credentials(token), max_refresh_attempts=0)
    return session.get(url, timeout=30)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--account", required=True, help="e-mail of the service account that calls")
    parser.add_argument("--audience", required=True, help="audience of the ID token: the service's own URL")
    parser.add_argument("--transport", choices=["grpc", "rest"], default="grpc", help="how IAM Credentials is called")
    patience = "how long to ask again (the library's default: 60)"
    parser.add_argument("--patience", type=float, metavar="SECONDS", help=patience)
    return parser.parse_args()


def main() -> int:
    args = arguments()
    try:
        token = id_token(args.account, args.audience, args.transport, args.patience)
    except (exceptions.GoogleAPIError, google.auth.exceptions.GoogleAuthError) as error:
        print(f"no ID token: {type(error).__name__}: {error}", file=sys.stderr)
        return 1

    claims = jwt.decode(token, options={"verify_signature": False})
    expires = datetime.datetime.fromtimestamp(claims["exp"], datetime.timezone.utc)
    print(f"ID token of {claims.get('email')} for {claims['aud']}, expires {expires.isoformat()}", file=sys.stderr)

    response = get(args.url, token)
    if not response.ok:
        print(f"{args.url} refused it: {response.status_code} {response.reason}", file=sys.stderr)
        print(response.headers.get("www-authenticate", ""), file=sys.stderr)
        return 1
    json.dump(response.json(), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
