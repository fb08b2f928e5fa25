//! Every refusal that Cloud Tasks can give here. Those of all Google APIs (credential, scope, JSON, policies) are `wire`'s.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

/// The source of most texts.
const GOLDEN: &str = "a public emulator whose conformance tests keep Google's own answers";

const PARTS: &str = "status and message";

const fn status(code: Code, message: &'static str) -> Wire {
    Wire::Status { code, message, details: &[], headers: &[], legacy_reason: None }
}

const fn invalid(message: &'static str) -> Wire {
    status(Code::InvalidArgument, message)
}

/// One whose text is recorded.
const fn golden(ids: &'static [&'static str], when: &'static str, wire: Wire) -> Refusal {
    Refusal { ids, when, wire, evidence: Evidence::captured(GOLDEN, PARTS) }
}

/// One whose rule is documented and whose text is not known.
const fn assumed(ids: &'static [&'static str], when: &'static str, wire: Wire, because: &'static str) -> Refusal {
    Refusal { ids, when, wire, evidence: Evidence::assumed(because) }
}

/// The caller lacks a permission, or there is no such queue and the caller has no right to know.
///
/// Arguments: `permission`, `resource` (relative name, or an e-mail address).
pub(crate) const PERMISSION_DENIED: Refusal = Refusal {
    ids: &["tasks-create-denied", "tasks-permission-denied", "tasks-actas-denied"],
    when: "the caller lacks the method's permission on the queue or the location, or `iam.serviceAccounts.actAs` on the account whose token goes along; also if there is no such thing and the caller has no right to know",
    wire: status(
        Code::PermissionDenied,
        "The principal (user or service account) lacks IAM permission \"{permission}\" for the resource \"{resource}\" (or the resource may not exist).",
    ),
    evidence: Evidence::captured("public logs of functions that create tasks; for actAs one of 2026-05-07", PARTS),
};

/// The project is none of this cloud's.
///
/// Arguments: `project`.
pub(crate) const PROJECT_DENIED: Refusal = Refusal {
    ids: &["tasks-project-denied"],
    when: "the name begins with a project that is not there, or with something else",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission denied on resource project {project}.",
        details: &[
            Detail::Help { description: "Google developers console", url: "https://console.developers.google.com" },
            Detail::ErrorInfo {
                reason: "CONSUMER_INVALID",
                domain: "googleapis.com",
                metadata: &[
                    ("consumer", "projects/{project}"),
                    ("containerInfo", "{project}"),
                    ("service", "cloudtasks.googleapis.com"),
                ],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured(GOLDEN, "status, message, reason; a LocalizedMessage is left out"),
};

/// The API is not enabled in the project.
///
/// Arguments: `project` (its number).
pub(crate) const API_DISABLED: Refusal = assumed(
    &["tasks-api-disabled"],
    "cloudtasks.googleapis.com is not enabled in the project",
    Wire::Status {
        code: Code::PermissionDenied,
        message: "Cloud Tasks API has not been used in project {project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/cloudtasks.googleapis.com/overview?project={project} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
        details: &[
            Detail::Help {
                description: "Google developers console API activation",
                url: "https://console.developers.google.com/apis/api/cloudtasks.googleapis.com/overview?project={project}",
            },
            Detail::ErrorInfo {
                reason: "SERVICE_DISABLED",
                domain: "googleapis.com",
                metadata: &[("consumer", "projects/{project}"), ("service", "cloudtasks.googleapis.com")],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    "the recorded form of Cloud Scheduler and of IAM Credentials with the name of this API",
);

/// No queue can be named like this.
pub(crate) const QUEUE_NAME: Refusal = Refusal {
    ids: &["tasks-queue-name-malformed"],
    when: "the name of a queue is not of the full form, or its last part is not 1 to 100 letters, digits and hyphens",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\".",
        details: &[Detail::Help {
            description: "Definition of queue name",
            url: "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#Queue.FIELDS.name",
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured(GOLDEN, "status, message, the link's text"),
};

/// Cloud Tasks is not there.
///
/// Arguments: `location`.
pub(crate) const LOCATION_NOT_FOUND: Refusal = assumed(
    &["tasks-location-not-found"],
    "no location can be named like this",
    status(Code::NotFound, "Location {location} is not found or access is unauthorized."),
    "the words known of Cloud Scheduler",
);

/// A queue of this name is there.
pub(crate) const QUEUE_EXISTS: Refusal = Refusal {
    ids: &["tasks-queue-create-exists"],
    when: "a queue of this name exists",
    wire: status(Code::AlreadyExists, "Queue already exists"),
    evidence: Evidence::reported(GOLDEN, PARTS),
};

/// A queue of this name was there lately.
pub(crate) const QUEUE_TOMBSTONE: Refusal = golden(
    &["tasks-queue-create-tombstone"],
    "a queue of this name was deleted less than 7 days ago",
    status(
        Code::FailedPrecondition,
        "The queue cannot be created because a queue with this name existed too recently.",
    ),
);

/// There is no such queue.
pub(crate) const QUEUE_NOT_FOUND: Refusal = golden(
    &["tasks-queue-not-found"],
    "there is no such queue, and the method is not its deletion",
    status(
        Code::NotFound,
        "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.",
    ),
);

/// There is no such task, or no such queue to delete.
pub(crate) const NOT_FOUND: Refusal = Refusal {
    ids: &["tasks-task-not-found", "tasks-queue-delete-not-found"],
    when: "there is no such task, or no such queue to delete",
    wire: status(Code::NotFound, "Requested entity was not found."),
    evidence: Evidence::reported(GOLDEN, PARTS),
};

/// The task is gone.
pub(crate) const TASK_GONE: Refusal = golden(
    &["tasks-task-gone"],
    "a task is asked for that is done or deleted, and whose name is not free yet",
    status(
        Code::NotFound,
        "The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted.",
    ),
);

/// A task of this name is there.
pub(crate) const TASK_EXISTS: Refusal = Refusal {
    ids: &["tasks-task-exists"],
    when: "a task of this name exists",
    wire: status(Code::AlreadyExists, "Requested entity already exists"),
    evidence: Evidence::reported(GOLDEN, PARTS),
};

/// A task of this name was there lately.
pub(crate) const TASK_TOMBSTONE: Refusal = Refusal {
    ids: &["tasks-task-tombstone"],
    when: "a task of this name is done or deleted, and its name is not free yet",
    wire: status(Code::AlreadyExists, "The task cannot be created because a task with this name existed too recently."),
    evidence: Evidence::captured("the text in a public client's list of errors", PARTS),
};

/// No task can be named like this.
///
/// Arguments: `id`.
pub(crate) const TASK_ID: Refusal = Refusal {
    ids: &["tasks-task-id-invalid"],
    when: "the id of a task is not 1 to 500 letters, digits, hyphens and underscores",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Task ID \"{id}\" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). Task ID must between 1 and 500 characters.",
        details: &[Detail::Help {
            description: "Definition of task ID",
            url: "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name",
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured(GOLDEN, "status, message, the link's text"),
};

/// The task is named as one of another queue.
///
/// Arguments: `parent`, `queue`.
pub(crate) const TASK_OF_OTHER_QUEUE: Refusal = Refusal {
    ids: &["tasks-task-queue-mismatch"],
    when: "the name of a new task is one of another queue",
    wire: invalid(
        "The queue name from request ('{parent}') must be the same as the queue name in the named task ('{queue}').",
    ),
    evidence: Evidence::reported(GOLDEN, PARTS),
};

/// The task is too large.
pub(crate) const TASK_TOO_LARGE: Refusal = golden(
    &["tasks-too-large"],
    "the task as it would be kept has more than 1,048,569 bytes",
    invalid("Task size too large"),
);

/// The deadline of an HTTP task.
pub(crate) const DEADLINE: Refusal = golden(
    &["tasks-dispatch-deadline"],
    "`dispatchDeadline` of an HTTP task is not between 15 s and 30 min",
    invalid("Task.dispatchDeadline must be between [15s, 30m]."),
);

/// The deadline of an App Engine task.
pub(crate) const DEADLINE_APP_ENGINE: Refusal = golden(
    &["tasks-dispatch-deadline-appengine"],
    "`dispatchDeadline` of an App Engine task is not between 15 s and 24 h 15 s",
    invalid("Task.dispatchDeadline must be between [15s, 24h15s]."),
);

/// There is no URL.
pub(crate) const URL_MISSING: Refusal =
    golden(&["tasks-url-missing"], "an HTTP task has no URL", invalid("HttpRequest.url is required."));

/// The URL is none of HTTP.
pub(crate) const URL_SCHEME: Refusal = Refusal {
    ids: &["tasks-url-scheme"],
    when: "the URL of an HTTP task begins with neither `http://` nor `https://`",
    wire: invalid("HttpTarget.url must start with 'http://' or 'https://'."),
    evidence: Evidence::reported(GOLDEN, PARTS),
};

/// A number of a queue.
///
/// Arguments: `field`.
pub(crate) const NEGATIVE: Refusal = golden(
    &[
        "tasks-queue-rate-negative",
        "tasks-queue-concurrent-negative",
        "tasks-queue-max-doublings-negative",
        "tasks-queue-backoff-negative",
    ],
    "`maxDispatchesPerSecond`, `maxConcurrentDispatches`, `maxDoublings`, `minBackoff`, `maxBackoff` or `maxRetryDuration` is negative",
    invalid("{field} cannot be negative."),
);

/// A rate or a concurrency that no queue may have.
///
/// Arguments: `field`, `most`.
pub(crate) const TOO_HIGH: Refusal = golden(
    &["tasks-queue-rate-too-high", "tasks-queue-concurrent-too-high"],
    "`maxDispatchesPerSecond` is above 500, or `maxConcurrentDispatches` above 5000",
    invalid("{field} must be less than or equal to {most}."),
);

/// Fewer attempts than any number.
pub(crate) const MAX_ATTEMPTS: Refusal = golden(
    &["tasks-queue-max-attempts"],
    "`maxAttempts` is below -1",
    invalid("RetryConfig.maxAttempts must be greater or equal to -1."),
);

/// The shortest interval is longer than the longest.
pub(crate) const BACKOFF_ORDER: Refusal = golden(
    &["tasks-queue-backoff-order"],
    "`minBackoff` is longer than `maxBackoff`",
    invalid("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff."),
);

/// There is no such account.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal = assumed(
    &["tasks-account-not-found"],
    "the service account whose token is to go along does not exist",
    status(Code::NotFound, "Requested entity was not found."),
    "NOT_FOUND is recorded of CreateTask; the words are Google's usual ones",
);

/// Everything else that the reference forbids.
///
/// Arguments: `what`.
pub(crate) const FIELD_INVALID: Refusal = assumed(
    &[
        "tasks-task-missing",
        "tasks-target-missing",
        "tasks-body-not-allowed",
        "tasks-method-not-allowed",
        "tasks-url-too-long",
        "tasks-uri-invalid",
        "tasks-headers-too-large",
        "tasks-header-invalid",
        "tasks-schedule-too-far",
        "tasks-account-other-project",
        "tasks-queue-target-invalid",
        "tasks-queue-logging-invalid",
        "tasks-field-mask-invalid",
        "tasks-filter-invalid",
        "tasks-page-token-invalid",
        "tasks-buffer-target-missing",
    ],
    "a request breaks a rule of the reference for which Google's words are not known: no task, no target, a body with a verb that has none, a URL of more than 2083 characters, headers of more than 80 KB, a schedule more than 30 days ahead, an account of another project, a queue-level target that says too little, a mask, filter or page token that is none",
    invalid("{what}"),
    "the reference says what is invalid; the words are ours, in the form of those that are recorded",
);

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &PERMISSION_DENIED,
    &PROJECT_DENIED,
    &API_DISABLED,
    &QUEUE_NAME,
    &LOCATION_NOT_FOUND,
    &QUEUE_EXISTS,
    &QUEUE_TOMBSTONE,
    &QUEUE_NOT_FOUND,
    &NOT_FOUND,
    &TASK_GONE,
    &TASK_EXISTS,
    &TASK_TOMBSTONE,
    &TASK_ID,
    &TASK_OF_OTHER_QUEUE,
    &TASK_TOO_LARGE,
    &DEADLINE,
    &DEADLINE_APP_ENGINE,
    &URL_MISSING,
    &URL_SCHEME,
    &NEGATIVE,
    &TOO_HIGH,
    &MAX_ATTEMPTS,
    &BACKOFF_ORDER,
    &ACCOUNT_NOT_FOUND,
    &FIELD_INVALID,
];
