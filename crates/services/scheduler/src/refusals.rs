//! Every refusal that Cloud Scheduler can give here. Those of all Google APIs (credential, scope, JSON) are `wire`'s.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

const fn status(code: Code, message: &'static str) -> Wire {
    Wire::Status { code, message, details: &[], headers: &[], legacy_reason: None }
}

/// The caller may not do this.
///
/// Arguments: `permission`, `resource` (without the service).
pub(crate) const PERMISSION_DENIED: Refusal = Refusal {
    ids: &[
        "scheduler-update-denied",
        "scheduler-create-denied",
        "scheduler-get-denied",
        "scheduler-list-denied",
        "scheduler-delete-denied",
        "scheduler-run-denied",
        "scheduler-pause-denied",
        "scheduler-resume-denied",
        "scheduler-locations-denied",
    ],
    when: "the caller lacks the permission on the job or the location",
    wire: status(
        Code::PermissionDenied,
        "The principal (user or service account) lacks IAM permission \"{permission}\" for the resource \"{resource}\" (or the resource may not exist).",
    ),
    evidence: Evidence::captured("public outputs of deployments, of cloudscheduler.jobs.update", "message"),
};

/// The caller may not let a job act as the account.
///
/// Arguments: `account`.
pub(crate) const ACT_AS_DENIED: Refusal = Refusal {
    ids: &["scheduler-actas-denied"],
    when: "the caller lacks iam.serviceAccounts.actAs on the service account of the target's token",
    wire: status(
        Code::PermissionDenied,
        "The principal (user or service account) lacks IAM permission \"iam.serviceAccounts.actAs\" for the resource \"{account}\" (or the resource may not exist).",
    ),
    evidence: Evidence::captured("public outputs of gcloud and Terraform", "message"),
};

/// The account is not there, and the caller could act as any.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal = Refusal {
    ids: &["scheduler-account-not-found"],
    when: "the service account of the target's token does not exist, and the caller has actAs on all of the project",
    wire: status(Code::NotFound, "Requested entity was not found."),
    evidence: Evidence::reported("public output of gcloud; its author names the cause", "message"),
};

/// The API is not enabled in the project.
///
/// Arguments: `project`.
pub(crate) const API_DISABLED: Refusal = Refusal {
    ids: &["scheduler-api-disabled"],
    when: "cloudscheduler.googleapis.com is not enabled in the project",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Cloud Scheduler API has not been used in project {project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/cloudscheduler.googleapis.com/overview?project={project} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
        details: &[
            Detail::Help {
                description: "Google developers console API activation",
                url: "https://console.developers.google.com/apis/api/cloudscheduler.googleapis.com/overview?project={project}",
            },
            Detail::ErrorInfo {
                reason: "SERVICE_DISABLED",
                domain: "googleapis.com",
                metadata: &[("consumer", "projects/{project}"), ("service", "cloudscheduler.googleapis.com")],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("https://github.com/google/knative-gcp/issues/243", "message"),
};

/// There are no jobs at the location.
///
/// Arguments: `location`.
pub(crate) const LOCATION_INVALID: Refusal = Refusal {
    ids: &["scheduler-location-invalid"],
    when: "the location has no Cloud Scheduler",
    wire: status(
        Code::InvalidArgument,
        "Location '{location}' is not a valid location. Use ListLocations to list valid locations.",
    ),
    evidence: Evidence::captured("public outputs of gcloud and of a deployment", "message"),
};

/// There is a job of this name.
///
/// Arguments: `job`.
pub(crate) const JOB_EXISTS: Refusal = Refusal {
    ids: &["scheduler-job-exists"],
    when: "a job of this name exists",
    wire: status(Code::AlreadyExists, "Job {job} already exists."),
    evidence: Evidence::assumed("known from use; no recording is at hand"),
};

/// There is no such job.
pub(crate) const JOB_NOT_FOUND: Refusal = Refusal {
    ids: &["scheduler-job-not-found"],
    when: "there is no job of this name",
    wire: status(Code::NotFound, "Job not found."),
    evidence: Evidence::assumed("known from use; `Requested entity was not found.` has been seen too"),
};

/// The schedule is none, or the time zone.
pub(crate) const SCHEDULE_INVALID: Refusal = Refusal {
    ids: &["scheduler-schedule-invalid", "scheduler-time-zone-invalid"],
    when: "`schedule` is missing or can be read neither as unix-cron nor in words, or `timeZone` is none",
    wire: status(Code::InvalidArgument, "Schedule or time zone is invalid."),
    evidence: Evidence::reported("https://github.com/hashicorp/terraform/issues/31571", "message"),
};

/// Too many retries.
pub(crate) const RETRY_COUNT: Refusal = Refusal {
    ids: &["scheduler-retry-count-invalid"],
    when: "`retryConfig.retryCount` is not between 0 and 5",
    wire: status(
        Code::InvalidArgument,
        "invalid retry count. The retry_count must be a positive integer less than 5: invalid argument",
    ),
    evidence: Evidence::recorded("a public run against Google, with 6; 5 passes", "2026-10-01", "message"),
};

/// A window with a fraction of a second.
pub(crate) const RETRY_NANOS: Refusal = Refusal {
    ids: &["scheduler-max-retry-duration-fraction"],
    when: "`retryConfig.maxRetryDuration` has a fraction of a second",
    wire: status(Code::InvalidArgument, "retryConfig.max_retry_duration.nanos cannot be set: invalid argument"),
    evidence: Evidence::recorded("a public run against Google", "2026-10-01", "message"),
};

/// A mask that names no field.
///
/// Arguments: `path`.
pub(crate) const MASK_INVALID: Refusal = Refusal {
    ids: &["scheduler-mask-invalid"],
    when: "`updateMask` names no field of a job; on gRPC paths are in proto spelling only",
    wire: status(Code::InvalidArgument, "Invalid mask for Job: {path}"),
    evidence: Evidence::reported("https://github.com/googleapis/nodejs-scheduler/issues/447", "message"),
};

/// The job is in another state.
///
/// Arguments: `what`.
pub(crate) const STATE: Refusal = Refusal {
    ids: &["scheduler-pause-not-enabled", "scheduler-resume-not-paused"],
    when: "a job is paused that is not enabled, or resumed that is not paused",
    wire: status(Code::FailedPrecondition, "{what}"),
    evidence: Evidence::assumed("the reference says when; no wording is known"),
};

/// A field that cannot be so.
///
/// Arguments: `what`.
pub(crate) const FIELD_INVALID: Refusal = Refusal {
    ids: &[
        "scheduler-job-name-invalid",
        "scheduler-parent-invalid",
        "scheduler-description-too-long",
        "scheduler-target-missing",
        "scheduler-uri-invalid",
        "scheduler-body-not-allowed",
        "scheduler-headers-invalid",
        "scheduler-token-invalid",
        "scheduler-attempt-deadline-invalid",
        "scheduler-retry-config-invalid",
        "scheduler-topic-invalid",
        "scheduler-message-empty",
        "scheduler-app-engine-invalid",
        "scheduler-job-too-large",
        "scheduler-page-token-invalid",
    ],
    when: "a field of the request breaks one of the rules of the reference",
    wire: status(Code::InvalidArgument, "{what}"),
    evidence: Evidence::assumed("the reference has the rules; no wording is known"),
};

/// Too many jobs.
pub(crate) const TOO_MANY: Refusal = Refusal {
    ids: &["scheduler-too-many-jobs"],
    when: "the location has as many jobs as it can have",
    wire: status(Code::ResourceExhausted, "Quota exceeded for jobs in this location."),
    evidence: Evidence::assumed("the page on quotas has the number; no wording is known"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &PERMISSION_DENIED,
    &ACT_AS_DENIED,
    &ACCOUNT_NOT_FOUND,
    &API_DISABLED,
    &LOCATION_INVALID,
    &JOB_EXISTS,
    &JOB_NOT_FOUND,
    &SCHEDULE_INVALID,
    &RETRY_COUNT,
    &RETRY_NANOS,
    &MASK_INVALID,
    &STATE,
    &FIELD_INVALID,
    &TOO_MANY,
];
