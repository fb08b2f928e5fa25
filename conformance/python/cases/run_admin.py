"""Cloud Run administration by `run_v2`, over both wires."""

from collections.abc import Iterator

from google.api_core.exceptions import Conflict, Forbidden, NotFound
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2
from google.oauth2 import service_account

from support.rig import CLOUD, REGION
from support.stage import Stage
from support.verdict import Case, equal, raises, require


class RunAdmin:
    def __init__(self, stage: Stage, transport: str) -> None:
        self.stage = stage
        self.transport = transport
        self.parent = f"projects/{stage.owner.project}/locations/{REGION}"
        self.client = run_v2.ServicesClient(credentials=stage.owner.credentials, transport=transport)

    def get(self) -> None:
        service = self.client.get_service(name=f"{self.parent}/services/ledger")
        equal(service.uri, self.stage.ledger, "the URL")
        equal(len(service.urls), 2, "the number of URLs")
        require(service.uri in service.urls, f"{service.uri} is not among {list(service.urls)}")

    def list(self) -> None:
        request = run_v2.ListServicesRequest(parent=self.parent, page_size=1)
        names = {service.name.split("/")[-1] for service in self.client.list_services(request=request)}
        require({"ledger", "federated-auth-cloud-run", "idp-on-cloud-run"} <= names, f"these are listed: {names}")

    def at_region(self) -> None:
        """The address of the region, which is another host."""
        client = run_v2.ServicesClient(
            credentials=self.stage.owner.credentials,
            transport=self.transport,
            client_options={"api_endpoint": f"{REGION}-run.googleapis.com"},
        )
        service = client.get_service(name=f"{self.parent}/services/ledger")
        equal(service.uri, self.stage.ledger, "the URL")

    def missing(self) -> None:
        with raises(NotFound, "404"):
            self.client.get_service(name=f"{self.parent}/services/nothing")

    def policy(self) -> None:
        resource = f"{self.parent}/services/ledger"
        request = iam_policy_pb2.GetIamPolicyRequest(resource=resource)
        (binding,) = self.client.get_iam_policy(request=request).bindings
        equal(binding.role, "roles/run.invoker", "the role of the binding")
        equal(list(binding.members), [f"serviceAccount:{self.stage.deployer}"], "its members")

    def patched(self) -> None:
        """An update by what was read, refused when it was read too long ago."""
        service = self.client.get_service(name=f"{self.parent}/services/ledger")
        service.description = f"by {self.transport}"
        made = self.client.update_service(service=service).result(timeout=10)
        equal(made.description, f"by {self.transport}", "the description")
        equal(made.uri, self.stage.ledger, "the URL")
        # Over gRPC the library says `Aborted`, which is a `Conflict` too.
        with raises(Conflict, "409 ", "Conflict for resource 'ledger': version '"):
            self.client.update_service(service=service)

    def denied(self) -> None:
        key = service_account.Credentials.from_service_account_file(str(self.stage.key), scopes=[CLOUD])
        client = run_v2.ServicesClient(credentials=key, transport=self.transport)
        with self.stage.control.refuses("cloud-run-admin", "permission"):
            # Over gRPC the library says `PermissionDenied`, which is a `Forbidden` too.
            with raises(Forbidden, "403 ", "Permission 'run.services.get' denied on resource"):
                client.get_service(name=f"{self.parent}/services/ledger")

    def deployed(self) -> None:
        """A service comes, answers its URL to the owner, and goes."""
        name = f"shop-{self.transport}"
        container = run_v2.Container(image="us-docker.pkg.dev/cloudrun/container/hello")
        service = run_v2.Service(template=run_v2.RevisionTemplate(containers=[container]))
        operation = self.client.create_service(parent=self.parent, service=service, service_id=name)
        made = operation.result(timeout=10)
        require(made.uri.startswith(f"https://{name}-"), f"its URL is {made.uri}")
        revisions = run_v2.RevisionsClient(credentials=self.stage.owner.credentials, transport=self.transport)
        names = [revision.name for revision in revisions.list_revisions(parent=made.name)]
        equal(names, [made.latest_ready_revision], "its revisions")
        self.client.delete_service(name=made.name).result(timeout=10)
        with raises(NotFound, "404"):
            self.client.get_service(name=made.name)


def cases(stage: Stage) -> Iterator[Case]:
    for transport, word in [("grpc", "gRPC"), ("rest", "REST")]:
        admin = RunAdmin(stage, transport)
        rows = {
            "a service is read": admin.get,
            "services are listed in pages": admin.list,
            "a service is read at its region": admin.at_region,
            "not found": admin.missing,
            "policy read": admin.policy,
            "a service is changed, with etag": admin.patched,
            "no permission": admin.denied,
            "a service is deployed and deleted": admin.deployed,
        }
        for name, trial in rows.items():
            yield Case("google-cloud-run", f"run_v2, {word}", name, trial)
