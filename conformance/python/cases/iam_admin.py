"""Administration of service accounts by `iam_admin_v1`, which speaks gRPC alone."""

import datetime
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.cloud import iam_admin_v1
from google.iam.v1 import iam_policy_pb2
from google.oauth2 import service_account

from support.rig import CLOUD
from support.stage import Stage
from support.verdict import Case, equal, raises, require

USER = "roles/iam.serviceAccountUser"


class IamAdmin:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.client = stage.admin
        self.project = f"projects/{stage.owner.project}"

    def account(self, id: str) -> iam_admin_v1.ServiceAccount:
        account = iam_admin_v1.ServiceAccount(display_name=f"The {id}", description="made by the suite")
        return self.client.create_service_account(name=self.project, account_id=id, service_account=account)

    def refreshes(self, path) -> None:
        key = service_account.Credentials.from_service_account_file(str(path), scopes=[CLOUD])
        key.refresh(Request())

    # Accounts.

    def created(self) -> None:
        made = self.account("auditor-1")
        equal(made.email, self.stage.owner.email("auditor-1"), "the e-mail")
        equal(made.display_name, "The auditor-1", "the display name")
        found = self.client.get_service_account(name=made.name)
        equal(found, made, "the account that was read")
        by_id = self.client.get_service_account(name=f"projects/-/serviceAccounts/{made.unique_id}")
        equal(by_id.email, made.email, "the e-mail of the account with that unique id")

    def twice(self) -> None:
        self.account("auditor-2")
        with raises(AlreadyExists, "409 Service account auditor-2 already exists within project"):
            self.account("auditor-2")

    def listed(self) -> None:
        for number in range(3):
            self.account(f"lister-{number}")
        request = iam_admin_v1.ListServiceAccountsRequest(name=self.project, page_size=2)
        pages = self.client.list_service_accounts(request=request)
        ids = {account.email.split("@")[0] for account in pages}
        require({"lister-0", "lister-1", "lister-2", "deployer", "oidc-federated"} <= ids, f"these are listed: {ids}")

    def patched(self) -> None:
        made = self.account("auditor-3")
        request = iam_admin_v1.PatchServiceAccountRequest(
            service_account=iam_admin_v1.ServiceAccount(name=made.name, display_name="Renamed", description="kept out"),
            update_mask={"paths": ["display_name"]},
        )
        self.client.patch_service_account(request=request)
        found = self.client.get_service_account(name=made.name)
        equal((found.display_name, found.description), ("Renamed", "made by the suite"), "the texts")

    def disabled(self) -> None:
        made = self.account("auditor-4")
        path = self.stage.new_key(made.email)
        self.client.disable_service_account(request={"name": made.name})
        require(self.client.get_service_account(name=made.name).disabled, "the account is not disabled")
        with self.stage.control.refuses("oauth2-token", "account"), raises(RefreshError, "invalid_grant"):
            self.refreshes(path)
        self.client.enable_service_account(request={"name": made.name})
        self.refreshes(path)

    def deleted(self) -> None:
        made = self.account("auditor-5")
        self.client.delete_service_account(name=made.name)
        with raises(NotFound, "404"):
            self.client.get_service_account(name=made.name)
        answer = self.client.undelete_service_account(
            request={"name": f"{self.project}/serviceAccounts/{made.unique_id}"}
        )
        equal(answer.restored_account.email, made.email, "the account that was brought back")
        equal(self.client.get_service_account(name=made.name).unique_id, made.unique_id, "its unique id")

    def missing(self) -> None:
        with raises(NotFound, "404"):
            self.client.get_service_account(name=f"{self.project}/serviceAccounts/{self.stage.owner.email('nobody-1')}")

    def bad_id(self) -> None:
        with raises(InvalidArgument, "400"):
            self.account("X")

    # Keys.

    def keys(self) -> None:
        made = self.account("keeper-1")
        path = self.stage.new_key(made.email)
        kinds = [iam_admin_v1.ListServiceAccountKeysRequest.KeyType.USER_MANAGED]
        (key,) = self.client.list_service_account_keys(name=made.name, key_types=kinds).keys
        key_id = key.name.split("/")[-1]
        equal(service_account.Credentials.from_service_account_file(str(path)).signer.key_id, key_id, "the key id")
        found = self.client.get_service_account_key(
            request={"name": key.name, "public_key_type": "TYPE_X509_PEM_FILE"}
        )
        require(found.public_key_data.startswith(b"-----BEGIN CERTIFICATE-----"), "there is no certificate")

        self.client.disable_service_account_key(name=key.name)
        with raises(RefreshError, "invalid_grant: Invalid JWT Signature."):
            self.refreshes(path)
        self.client.enable_service_account_key(name=key.name)
        self.refreshes(path)
        self.client.delete_service_account_key(name=key.name)
        equal(len(self.client.list_service_account_keys(name=made.name, key_types=kinds).keys), 0, "the keys left")

    def uploaded(self) -> None:
        """A key of one's own: Google gets the certificate alone."""
        made = self.account("keeper-2")
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        request = {"name": made.name, "public_key_data": certificate(private)}
        key = self.client.upload_service_account_key(request=request)
        info = {
            "type": "service_account",
            "client_email": made.email,
            "private_key_id": key.name.split("/")[-1],
            "private_key": private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        credentials = service_account.Credentials.from_service_account_info(info, scopes=[CLOUD])
        credentials.refresh(Request())
        require(credentials.valid, "the credentials are not valid")

    # Policies and roles.

    def policy(self) -> None:
        made = self.account("auditor-6")
        policy = self.client.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(resource=made.name))
        equal(list(policy.bindings), [], "the bindings of a new account")
        policy.bindings.add(role=USER, members=[f"serviceAccount:{self.stage.deployer}"])
        request = iam_policy_pb2.SetIamPolicyRequest(resource=made.name, policy=policy)
        answer = self.client.set_iam_policy(request=request)
        equal(answer.bindings[0].role, USER, "the role of the binding")
        require(answer.etag != policy.etag, "the etag has not changed")

        asked = ["iam.serviceAccounts.actAs", "iam.serviceAccounts.signBlob"]
        deployer = service_account.Credentials.from_service_account_file(str(self.stage.key), scopes=[CLOUD])
        held = iam_admin_v1.IAMClient(credentials=deployer).test_iam_permissions(
            request=iam_policy_pb2.TestIamPermissionsRequest(resource=made.name, permissions=asked)
        )
        equal(list(held.permissions), asked[:1], "the permissions that the deployer holds")

    def roles(self) -> None:
        role = iam_admin_v1.Role(title="Minter", included_permissions=["iam.serviceAccounts.getOpenIdToken"])
        made = self.client.create_role(request={"parent": self.project, "role_id": "minter", "role": role})
        equal(made.name, f"{self.project}/roles/minter", "the name of the role")
        found = self.client.get_role(request={"name": made.name})
        equal(list(found.included_permissions), ["iam.serviceAccounts.getOpenIdToken"], "the permissions")
        names = [role.name for role in self.client.list_roles(request={"parent": self.project})]
        equal(names, [made.name], "the roles of the project")
        require(self.client.delete_role(request={"name": made.name}).deleted, "the role is not deleted")
        predefined = self.client.get_role(request={"name": "roles/run.invoker"})
        require("run.routes.invoke" in predefined.included_permissions, "roles/run.invoker cannot invoke")


def certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "suite")])
    now = datetime.datetime.now(datetime.timezone.utc)
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    return unsigned.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def cases(stage: Stage) -> Iterator[Case]:
    admin = IamAdmin(stage)
    rows = {
        "created, read by e-mail and by unique id": admin.created,
        "created twice": admin.twice,
        "listed in pages": admin.listed,
        "patched by mask": admin.patched,
        "disabled and enabled": admin.disabled,
        "deleted and brought back": admin.deleted,
        "not found": admin.missing,
        "an id that is none": admin.bad_id,
        "keys listed, disabled, enabled, deleted": admin.keys,
        "key uploaded": admin.uploaded,
        "policy read, changed and tried": admin.policy,
        "custom role and predefined one": admin.roles,
    }
    for name, trial in rows.items():
        yield Case("google-cloud-iam", "iam_admin_v1, gRPC", name, trial)
