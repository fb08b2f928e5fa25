"""Cloud Tasks by `google.cloud.tasks_v2`, over gRPC and REST, and applications that verify what tasks bring along."""

import datetime
import urllib.parse
from collections.abc import Iterator

import requests
# The classes that an error has on either wire; gRPC gives narrower ones.
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, NotFound
from google.auth import default, load_credentials_from_file
from google.cloud import tasks_v2
from google.protobuf import duration_pb2, timestamp_pb2

from support.application import AUDIENCE, FUNCTIONS, application
from support.rig import CLOUD, REGION
from support.stage import Stage
from support.verdict import Case, equal, raises, require


class Tasks:
    def __init__(self, stage: Stage, transport: str) -> None:
        self.stage = stage
        self.name = f"python-{transport}"
        self.client = tasks_v2.CloudTasksClient(transport=transport)
        self.parent = f"projects/{stage.owner.project}/locations/{REGION}"
        self.queue = f"{self.parent}/queues/{self.name}"

    def task(self, url: str, audience: str | None = None, **more) -> tasks_v2.Task:
        request = tasks_v2.HttpRequest(url=url, http_method=tasks_v2.HttpMethod.POST, body=b'{"order": 17}')
        request.headers["Content-Type"] = "application/json"
        if audience:
            request.oidc_token = tasks_v2.OidcToken(service_account_email=self.stage.deployer, audience=audience)
        return tasks_v2.Task(http_request=request, **more)

    def created(self) -> None:
        limits = tasks_v2.RateLimits(max_dispatches_per_second=100)
        # Long enough to look at a task between two attempts.
        retry = tasks_v2.RetryConfig(min_backoff=duration_pb2.Duration(seconds=60))
        queue = tasks_v2.Queue(name=self.queue, rate_limits=limits, retry_config=retry)
        made = self.client.create_queue(parent=self.parent, queue=queue)
        equal(made.rate_limits.max_burst_size, 20, "the burst")
        require(self.queue in [queue.name for queue in self.client.list_queues(parent=self.parent)], "it is not listed")
        with raises(Conflict, "Queue already exists"):
            self.client.create_queue(parent=self.parent, queue=queue)

    def delivered(self) -> None:
        made = self.client.create_task(parent=self.queue, task=self.task(f"{self.stage.ledger}/17", self.stage.ledger))
        attempt = self.stage.control.attempts(made.name)[0]
        equal((attempt["status"], attempt["method"]), (200, "POST"), "the answer and the verb")
        equal(attempt["token"]["claims"]["email"], self.stage.deployer, "whose token went along")
        with raises(NotFound, "no longer exists"):
            self.client.get_task(name=made.name)

    def refused_by_the_service(self) -> None:
        made = self.client.create_task(parent=self.queue, task=self.task(self.stage.ledger, "https://other.example.com"))
        attempt = self.stage.control.attempts(made.name)[0]
        equal((attempt["status"], attempt["follows"]), (401, "retry"), "the answer and what follows")
        found = self.client.get_task(name=made.name)
        equal(found.last_attempt.response_status.code, 16, "the status of the attempt")
        self.client.delete_task(name=made.name)

    def scheduled(self) -> None:
        when = timestamp_pb2.Timestamp()
        when.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))
        later = self.task(self.stage.ledger, schedule_time=when, dispatch_deadline=duration_pb2.Duration(seconds=30))
        later.name = f"{self.queue}/tasks/later"
        self.client.create_task(parent=self.queue, task=later)
        with raises(Conflict, "Requested entity already exists"):
            self.client.create_task(parent=self.queue, task=later)
        basic = self.client.get_task(name=later.name)
        equal((basic.http_request.body, basic.dispatch_count), (b"", 0), "the basic view")
        full = self.client.get_task(request={"name": later.name, "response_view": tasks_v2.Task.View.FULL})
        equal(full.http_request.body, b'{"order": 17}', "the body of the full view")
        self.client.run_task(name=later.name)
        equal(self.stage.control.attempts(later.name)[0]["status"], 403, "the answer to a run without a token")
        self.client.purge_queue(name=self.queue)
        equal(list(self.client.list_tasks(parent=self.queue)), [], "the tasks after a purge")

    def paused(self) -> None:
        self.client.pause_queue(name=self.queue)
        made = self.client.create_task(parent=self.queue, task=self.task(self.stage.ledger, self.stage.ledger))
        equal(self.client.get_queue(name=self.queue).state, tasks_v2.Queue.State.PAUSED, "the state")
        equal(self.client.get_task(name=made.name).dispatch_count, 0, "the attempts of a paused queue")
        self.client.resume_queue(name=self.queue)
        equal(self.stage.control.attempts(made.name)[0]["status"], 200, "the answer")

    def malformed(self) -> None:
        with raises(BadRequest, "HttpTarget.url must start with 'http://' or 'https://'."):
            self.client.create_task(parent=self.queue, task=self.task("ftp://example.com"))
        with raises(BadRequest, "Task.dispatchDeadline must be between [15s, 30m]."):
            short = duration_pb2.Duration(seconds=1)
            self.client.create_task(parent=self.queue, task=self.task(self.stage.ledger, dispatch_deadline=short))

    def denied(self) -> None:
        key, _ = load_credentials_from_file(str(self.stage.new_key(self.stage.stranger)), scopes=[CLOUD])
        stranger = tasks_v2.CloudTasksClient(credentials=key, transport=self.client.transport.kind)
        with raises(Forbidden, 'lacks IAM permission "cloudtasks.tasks.create"', self.queue):
            stranger.create_task(parent=self.queue, task=self.task(self.stage.ledger))

    def deleted(self) -> None:
        self.client.delete_queue(name=self.queue)
        with raises(NotFound, "Queue does not exist."):
            self.client.get_queue(name=self.queue)

    def verified(self, function: str) -> None:
        """An application of its own lets in what was made for it, and nothing else."""
        with application(function, self.stage.deployer) as url:
            good = self.client.create_task(parent=self.queue, task=self.task(url, AUDIENCE))
            equal(self.stage.control.attempts(good.name)[0]["status"], 204, "the answer to the right token")
            for wrong in ("https://other.example.com", None):
                made = self.client.create_task(parent=self.queue, task=self.task(url, wrong))
                equal(self.stage.control.attempts(made.name)[0]["status"], 401, f"the answer to {wrong or 'no token'}")
                self.client.delete_task(name=made.name)


def buffered(stage: Stage) -> None:
    """BufferTask is an HTTP request like any other, so that a plain session makes it."""
    credentials, _ = default(scopes=[CLOUD])
    host = urllib.parse.urlsplit(stage.ledger).netloc
    token = {"serviceAccountEmail": stage.deployer, "audience": stage.ledger}
    name = f"projects/{stage.owner.project}/locations/{REGION}/queues/buffer"
    target = {"uriOverride": {"host": host}, "oidcToken": token}
    url = f"https://cloudtasks.googleapis.com/v2beta3/{name.rpartition('/queues/')[0]}/queues"
    stage.owner.session.post(url, json={"name": name, "httpTarget": target}, timeout=30).raise_for_status()
    buffer = f"https://cloudtasks.googleapis.com/v2beta3/{name}/tasks:buffer"
    answer = stage.owner.session.post(buffer, data=b"any bytes", timeout=30)
    require(answer.ok, answer.text)
    equal(stage.control.attempts(answer.json()["task"]["name"])[0]["status"], 200, "the answer")
    bare = requests.post(buffer, data=b"any bytes", timeout=30)
    equal(bare.status_code, 401, "the answer to nobody")


def cases(stage: Stage) -> Iterator[Case]:
    client = "google-cloud-tasks"
    for transport in ("grpc", "rest"):
        tasks = Tasks(stage, transport)
        path = f"Cloud Tasks, {transport}"
        yield Case(client, path, "a queue is made and listed", tasks.created)
        yield Case(client, path, "a task opens a private service", tasks.delivered)
        name = "a task with a token for another audience is refused and tried again"
        yield Case(client, path, name, tasks.refused_by_the_service)
        yield Case(client, path, "a task that is due later is seen, run and purged", tasks.scheduled)
        yield Case(client, path, "a paused queue dispatches when it is resumed", tasks.paused)
        yield Case(client, path, "a malformed task is refused in Google's words", tasks.malformed)
        yield Case(client, path, "a stranger is refused", tasks.denied)
        for function in FUNCTIONS:
            name = f"an application that calls {function} lets in its own tokens only"
            yield Case(client, path, name, lambda tasks=tasks, function=function: tasks.verified(function))
        yield Case(client, path, "a queue is deleted", tasks.deleted)
    yield Case("requests", "Cloud Tasks, BufferTask", "a whole request becomes a task", lambda: buffered(stage))
