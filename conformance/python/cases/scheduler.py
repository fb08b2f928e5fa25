"""Cloud Scheduler by `google.cloud.scheduler_v1`, over gRPC and REST, and applications that verify what jobs bring along."""

from collections.abc import Iterator

# The classes that an error has on either wire; gRPC gives narrower ones.
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, NotFound
from google.auth import load_credentials_from_file
from google.cloud import scheduler_v1
from google.protobuf import duration_pb2, field_mask_pb2

from support.application import AUDIENCE, FUNCTIONS, application
from support.rig import CLOUD, REGION
from support.stage import Stage
from support.verdict import Case, equal, raises, require

# It does not come while a suite runs.
YEARLY = "0 0 1 1 *"
Job, HttpTarget, OidcToken = scheduler_v1.Job, scheduler_v1.HttpTarget, scheduler_v1.OidcToken


class Scheduler:
    def __init__(self, stage: Stage, transport: str) -> None:
        self.stage = stage
        self.client = scheduler_v1.CloudSchedulerClient(transport=transport)
        self.parent = f"projects/{stage.owner.project}/locations/{REGION}"
        self.prefix = f"{self.parent}/jobs/python-{transport}"

    def job(self, name: str, uri: str, audience: str | None = None, **more) -> Job:
        target = HttpTarget(uri=uri, http_method=scheduler_v1.HttpMethod.POST, body=b'{"order": 17}')
        if audience:
            target.oidc_token = OidcToken(service_account_email=self.stage.deployer, audience=audience)
        return Job(name=f"{self.prefix}-{name}", schedule=YEARLY, http_target=target, **more)

    def attempt(self, job: Job) -> dict:
        """The attempt of a job that somebody runs, once it has ended."""
        made = self.client.create_job(parent=self.parent, job=job)
        self.client.run_job(name=made.name)
        return self.stage.control.attempts(made.name)[0]

    def created(self) -> None:
        job = self.job("tick", self.stage.ledger, time_zone="Europe/Berlin")
        made = self.client.create_job(parent=self.parent, job=job)
        equal((made.state, made.retry_config.max_doublings), (Job.State.ENABLED, 5), "the state and the doublings")
        require(made.schedule_time.month == 12, f"in Berlin the year begins before UTC's, not at {made.schedule_time}")
        require(made.name in [job.name for job in self.client.list_jobs(parent=self.parent)], "it is not listed")
        with raises(Conflict, made.name, "already exists"):
            self.client.create_job(parent=self.parent, job=job)

    def updated(self) -> None:
        name = f"{self.prefix}-tick"
        later = Job(name=name, schedule="every 24 hours", time_zone="UTC", description="not in the mask")
        mask = field_mask_pb2.FieldMask(paths=["schedule", "time_zone"])
        made = self.client.update_job(job=later, update_mask=mask)
        equal((made.schedule, made.time_zone, made.description), ("every 24 hours", "UTC", ""), "what has changed")
        equal(made.http_target.uri, self.stage.ledger, "what has not")

    def paused(self) -> None:
        name = f"{self.prefix}-tick"
        equal(self.client.pause_job(name=name).state, Job.State.PAUSED, "the state")
        with raises(BadRequest, "ENABLED"):
            self.client.pause_job(name=name)
        equal(self.client.resume_job(name=name).state, Job.State.ENABLED, "the state")
        with raises(BadRequest, "PAUSED"):
            self.client.resume_job(name=name)

    def delivered(self) -> None:
        job = self.job("good", f"{self.stage.ledger}/17", self.stage.ledger)
        attempt = self.attempt(job)
        equal((attempt["status"], attempt["method"]), (200, "POST"), "the answer and the verb")
        equal(attempt["token"]["claims"]["email"], self.stage.deployer, "whose token went along")
        equal(attempt["headers"]["X-CloudScheduler-JobName"], job.name.rpartition("/")[2], "what tells of the job")
        found = self.client.get_job(name=job.name)
        equal(found.status.code, 0, "the status of the last attempt")
        require(found.last_attempt_time is not None, "it tells of no attempt")

    def refused_by_the_service(self) -> None:
        job = self.job("wrong", self.stage.ledger, "https://other.example.com")
        equal(self.attempt(job)["status"], 401, "the answer")
        equal(self.client.get_job(name=job.name).status.code, 16, "the status of the last attempt")

    def asks_google(self) -> None:
        """A job with an access token calls an API of Google's."""
        job = self.job("google", f"https://cloudresourcemanager.googleapis.com/v1/projects/{self.stage.owner.project}")
        token = scheduler_v1.OAuthToken(service_account_email=self.stage.deployer)
        job.http_target = HttpTarget(
            uri=job.http_target.uri, http_method=scheduler_v1.HttpMethod.GET, oauth_token=token
        )
        attempt = self.attempt(job)
        equal((attempt["status"], attempt["token"]["claims"]["scope"]), (200, CLOUD), "the answer and the scope")

    def malformed(self) -> None:
        def refused(words: str, **changes) -> None:
            job = self.job("malformed", self.stage.ledger)
            for field, value in changes.items():
                setattr(job, field, value)
            with raises(BadRequest, words):
                self.client.create_job(parent=self.parent, job=job)

        refused("Schedule or time zone is invalid.", schedule="* * * * * *")
        refused("Schedule or time zone is invalid.", time_zone="Mars/Olympus")
        refused("retry_count must be a positive integer", retry_config=scheduler_v1.RetryConfig(retry_count=6))
        refused("attemptDeadline", attempt_deadline=duration_pb2.Duration(seconds=1))

    def denied(self) -> None:
        key, _ = load_credentials_from_file(str(self.stage.new_key(self.stage.stranger)), scopes=[CLOUD])
        stranger = scheduler_v1.CloudSchedulerClient(credentials=key, transport=self.client.transport.kind)
        with raises(Forbidden, "cloudscheduler.jobs.create"):
            stranger.create_job(parent=self.parent, job=self.job("denied", self.stage.ledger))

    def verified(self, function: str) -> None:
        """An application of its own lets in what was made for it, and nothing else."""
        with application(function, self.stage.deployer) as url:
            for name, audience, status in (("own", AUDIENCE, 204), ("others", url, 401), ("none", None, 401)):
                job = self.job(f"{function}-{name}", url, audience)
                equal(self.attempt(job)["status"], status, f"the answer to a token for {audience}")

    def deleted(self) -> None:
        for job in self.client.list_jobs(parent=self.parent):
            self.client.delete_job(name=job.name)
        equal(list(self.client.list_jobs(parent=self.parent)), [], "the jobs after all were deleted")
        with raises(NotFound, "Job not found."):
            self.client.get_job(name=f"{self.prefix}-tick")


def cases(stage: Stage) -> Iterator[Case]:
    client = "google-cloud-scheduler"
    for transport in ("grpc", "rest"):
        scheduler = Scheduler(stage, transport)
        path = f"Cloud Scheduler, {transport}"
        yield Case(client, path, "a job is made and listed", scheduler.created)
        yield Case(client, path, "a job is changed where the mask says", scheduler.updated)
        yield Case(client, path, "a job is paused and resumed, once each", scheduler.paused)
        yield Case(client, path, "a job opens a private service", scheduler.delivered)
        yield Case(client, path, "a job with a token for another audience is refused", scheduler.refused_by_the_service)
        yield Case(client, path, "a job with an access token asks an API of Google", scheduler.asks_google)
        yield Case(client, path, "a malformed job is refused in Google's words", scheduler.malformed)
        yield Case(client, path, "a stranger is refused", scheduler.denied)
        for function in FUNCTIONS:
            name = f"an application that calls {function} lets in its own tokens only"
            yield Case(client, path, name, lambda scheduler=scheduler, function=function: scheduler.verified(function))
        yield Case(client, path, "jobs are deleted", scheduler.deleted)
