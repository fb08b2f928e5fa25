//! Google's roles, as far as the played APIs ask for them.
//!
//! The roles that identity tokens turn on (minting, invoking, the service agents') hold exactly what public exports of
//! Google's role definitions of August 2026 show for the played APIs. Administrative roles hold the permissions that their documentation gives
//! them; permissions of APIs that nobody plays are left out.
//!
//! Braces are alternatives: `iam.roles.{get,list}` is two permissions.

const PROJECT: &str = "resourcemanager.projects.{get,list}";
const RUN_VIEW: &str = "run.{configurations,executions,jobs,operations,revisions,routes,services,tasks}.{get,list}";
const RUN_POLICIES: &str = "run.{jobs,services}.getIamPolicy";
const SERVICES_GET: &str = "serviceusage.services.{get,list}";

/// Name, title, permissions. The basic roles are made from all permissions, by rule.
pub(crate) const ROLES: &[(&str, &str, &[&str])] = &[
    // acting as a service account
    (
        "roles/iam.workloadIdentityUser",
        "Workload Identity User",
        &["iam.serviceAccounts.{get,getAccessToken,getOpenIdToken,list}"],
    ),
    (
        "roles/iam.serviceAccountTokenCreator",
        "Service Account Token Creator",
        &["iam.serviceAccounts.{get,getAccessToken,getOpenIdToken,implicitDelegation,list,signBlob,signJwt}", PROJECT],
    ),
    (
        "roles/iam.serviceAccountOpenIdTokenCreator",
        "Service Account OpenID Connect Identity Token Creator",
        &["iam.serviceAccounts.getOpenIdToken"],
    ),
    ("roles/iam.serviceAccountUser", "Service Account User", &["iam.serviceAccounts.{actAs,get,list}", PROJECT]),
    // invoking
    ("roles/run.invoker", "Cloud Run Invoker", &["run.routes.invoke", "run.jobs.run", "run.instances.invoke"]),
    ("roles/run.servicesInvoker", "Cloud Run Service Invoker", &["run.routes.invoke"]),
    ("roles/run.jobsExecutor", "Cloud Run Jobs Executor", &["run.jobs.run"]),
    ("roles/cloudfunctions.invoker", "Cloud Functions Invoker", &["cloudfunctions.functions.invoke"]),
    ("roles/iap.httpsResourceAccessor", "IAP-secured Web App User", &["iap.webServiceVersions.accessViaIAP"]),
    // service agents
    (
        "roles/cloudscheduler.serviceAgent",
        "Cloud Scheduler Service Agent",
        &[
            "iam.serviceAccounts.{getAccessToken,getOpenIdToken}",
            "logging.logEntries.{create,route}",
            "pubsub.topics.publish",
        ],
    ),
    (
        "roles/cloudtasks.serviceAgent",
        "Cloud Tasks Service Agent",
        &["iam.serviceAccounts.{getAccessToken,getOpenIdToken}", "logging.logEntries.create"],
    ),
    (
        "roles/pubsub.serviceAgent",
        "Cloud Pub/Sub Service Agent",
        &[
            "iam.serviceAccounts.{get,getAccessToken,getOpenIdToken,implicitDelegation,list,signBlob,signJwt}",
            PROJECT,
            "serviceusage.services.use",
        ],
    ),
    (
        "roles/run.serviceAgent",
        "Cloud Run Service Agent",
        &[
            "iam.serviceAccounts.{actAs,getAccessToken,getOpenIdToken,signBlob}",
            "run.routes.invoke",
            "storage.objects.{get,list}",
        ],
    ),
    (
        "roles/eventarc.serviceAgent",
        "Eventarc Service Agent",
        &[
            "iam.serviceAccounts.{actAs,getAccessToken,getOpenIdToken}",
            "pubsub.subscriptions.{consume,create,delete,get,list,update}",
            "pubsub.topics.{attachSubscription,create,delete,get,list,publish,update}",
            "run.services.get",
        ],
    ),
    (
        "roles/workflows.serviceAgent",
        "Cloud Workflows Service Agent",
        &["iam.serviceAccounts.{getAccessToken,getOpenIdToken}", "logging.logEntries.create"],
    ),
    ("roles/iap.serviceAgent", "IAP Service Agent", &["resourcemanager.projects.get"]),
    // service accounts, roles and policies
    (
        "roles/iam.serviceAccountAdmin",
        "Service Account Admin",
        &[
            "iam.serviceAccounts.{create,delete,disable,enable,get,getIamPolicy,list,setIamPolicy,undelete,update}",
            PROJECT,
        ],
    ),
    ("roles/iam.serviceAccountCreator", "Create Service Accounts", &["iam.serviceAccounts.{create,get,list}", PROJECT]),
    ("roles/iam.serviceAccountDeleter", "Delete Service Accounts", &["iam.serviceAccounts.{delete,get,list}", PROJECT]),
    (
        "roles/iam.serviceAccountViewer",
        "View Service Accounts",
        &["iam.serviceAccounts.{get,getIamPolicy,list}", "iam.serviceAccountKeys.{get,list}", PROJECT],
    ),
    (
        "roles/iam.serviceAccountKeyAdmin",
        "Service Account Key Admin",
        &["iam.serviceAccountKeys.{create,delete,disable,enable,get,list}", "iam.serviceAccounts.{get,list}", PROJECT],
    ),
    (
        "roles/iam.roleAdmin",
        "Role Administrator",
        &["iam.roles.{create,delete,get,list,undelete,update}", PROJECT, "resourcemanager.projects.getIamPolicy"],
    ),
    (
        "roles/iam.roleViewer",
        "Role Viewer",
        &["iam.roles.{get,list}", PROJECT, "resourcemanager.projects.getIamPolicy"],
    ),
    ("roles/iam.denyAdmin", "Deny Admin", &["iam.denypolicies.{create,delete,get,list,update}"]),
    ("roles/iam.denyReviewer", "Deny Reviewer", &["iam.denypolicies.{get,list}"]),
    (
        "roles/iam.securityAdmin",
        "Security Admin",
        &[
            "iam.serviceAccounts.{get,getIamPolicy,list,setIamPolicy}",
            "iam.roles.{get,list}",
            "iam.{workforcePools,workloadIdentityPools}.{getIamPolicy,setIamPolicy}",
            "run.{jobs,services}.{getIamPolicy,list,setIamPolicy}",
            "cloudfunctions.functions.{getIamPolicy,list,setIamPolicy}",
            "cloudtasks.queues.{getIamPolicy,list,setIamPolicy}",
            "pubsub.{schemas,snapshots,subscriptions,topics}.{getIamPolicy,list,setIamPolicy}",
            "storage.buckets.{getIamPolicy,list,setIamPolicy}",
            "iap.{projects,web,webTypes,webServices,webServiceVersions}.{getIamPolicy,setIamPolicy}",
            "resourcemanager.projects.{get,getIamPolicy,list,setIamPolicy}",
        ],
    ),
    (
        "roles/iam.securityReviewer",
        "Security Reviewer",
        &[
            "iam.serviceAccounts.{get,getIamPolicy,list}",
            "iam.roles.{get,list}",
            "run.{jobs,services}.{getIamPolicy,list}",
            "cloudfunctions.functions.{getIamPolicy,list}",
            "cloudtasks.queues.{getIamPolicy,list}",
            "pubsub.{schemas,snapshots,subscriptions,topics}.{getIamPolicy,list}",
            "storage.buckets.{getIamPolicy,list}",
            "resourcemanager.projects.{get,getIamPolicy,list}",
        ],
    ),
    (
        "roles/resourcemanager.organizationAdmin",
        "Organization Administrator",
        &[
            "orgpolicy.policy.get",
            "resourcemanager.folders.{get,getIamPolicy,list,setIamPolicy}",
            "resourcemanager.organizations.{get,getIamPolicy,setIamPolicy}",
            "resourcemanager.projects.{get,getIamPolicy,list,setIamPolicy}",
        ],
    ),
    (
        "roles/resourcemanager.projectIamAdmin",
        "Project IAM Admin",
        &["resourcemanager.projects.{get,getIamPolicy,setIamPolicy}"],
    ),
    ("roles/browser", "Browser", &["resourcemanager.projects.{get,getIamPolicy,list}"]),
    // federation
    (
        "roles/iam.workloadIdentityPoolAdmin",
        "IAM Workload Identity Pool Admin",
        &[
            "iam.workloadIdentityPools.{create,createPolicyBinding,delete,deletePolicyBinding,get,list,searchPolicyBindings,undelete,update,updatePolicyBinding}",
            "iam.workloadIdentityPoolProviders.{create,delete,get,list,undelete,update}",
            "iam.workloadIdentityPoolProviderKeys.{create,delete,get,list,undelete}",
            PROJECT,
        ],
    ),
    (
        "roles/iam.workloadIdentityPoolViewer",
        "IAM Workload Identity Pool Viewer",
        &[
            "iam.{workloadIdentityPools,workloadIdentityPoolProviders,workloadIdentityPoolProviderKeys}.{get,list}",
            PROJECT,
        ],
    ),
    (
        "roles/iam.workforcePoolAdmin",
        "IAM Workforce Pool Admin",
        &[
            "iam.workforcePools.{create,delete,get,getIamPolicy,list,setIamPolicy,undelete,update}",
            "iam.workforcePoolProviders.{create,delete,get,list,undelete,update}",
            "iam.workforcePoolProviderKeys.{create,delete,get,list,undelete}",
            "iam.workforcePoolSubjects.{delete,undelete}",
            "resourcemanager.organizations.get",
        ],
    ),
    (
        "roles/iam.workforcePoolViewer",
        "IAM Workforce Pool Viewer",
        &["iam.{workforcePools,workforcePoolProviders,workforcePoolProviderKeys}.{get,list}"],
    ),
    (
        "roles/iam.oauthClientAdmin",
        "IAM OAuth Client Admin",
        &[
            "iam.oauthClients.{create,delete,get,list,undelete,update}",
            "iam.oauthClientCredentials.{create,delete,get,list,update}",
            PROJECT,
        ],
    ),
    (
        "roles/iap.settingsAdmin",
        "IAP Settings Admin",
        &["iap.{projects,web,webTypes,webServices,webServiceVersions}.{getSettings,updateSettings}"],
    ),
    (
        "roles/iap.admin",
        "IAP Policy Admin",
        &["iap.{projects,web,webTypes,webServices,webServiceVersions}.{getIamPolicy,setIamPolicy}"],
    ),
    // Cloud Run and Cloud Functions
    (
        "roles/run.admin",
        "Cloud Run Admin",
        &[
            "run.services.{create,delete,get,getIamPolicy,list,setIamPolicy,update}",
            "run.jobs.{create,delete,get,getIamPolicy,list,run,runWithOverrides,setIamPolicy,update}",
            "run.executions.{cancel,delete,get,list}",
            "run.routes.{get,invoke,list}",
            "run.instances.invoke",
            "run.revisions.{delete,get,list}",
            "run.operations.{delete,get,list}",
            "run.locations.list",
            RUN_VIEW,
            PROJECT,
        ],
    ),
    (
        "roles/run.developer",
        "Cloud Run Developer",
        &[
            "run.services.{create,delete,get,getIamPolicy,list,update}",
            "run.jobs.{create,delete,get,getIamPolicy,list,run,runWithOverrides,update}",
            "run.executions.{cancel,delete,get,list}",
            "run.revisions.{delete,get,list}",
            "run.operations.{delete,get,list}",
            "run.locations.list",
            RUN_VIEW,
            PROJECT,
        ],
    ),
    ("roles/run.viewer", "Cloud Run Viewer", &[RUN_VIEW, RUN_POLICIES, "run.locations.list", PROJECT]),
    (
        "roles/cloudfunctions.admin",
        "Cloud Functions Admin",
        &[
            "cloudfunctions.functions.{call,create,delete,generateUploadUrl,get,getIamPolicy,invoke,list,setIamPolicy,sourceCodeGet,sourceCodeSet,update}",
            "cloudfunctions.{locations,runtimes}.list",
            "cloudfunctions.operations.{get,list}",
            "run.routes.invoke",
            RUN_VIEW,
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/cloudfunctions.developer",
        "Cloud Functions Developer",
        &[
            "cloudfunctions.functions.{call,create,delete,generateUploadUrl,get,invoke,list,sourceCodeGet,sourceCodeSet,update}",
            "cloudfunctions.{locations,runtimes}.list",
            "cloudfunctions.operations.{get,list}",
            RUN_VIEW,
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/cloudfunctions.viewer",
        "Cloud Functions Viewer",
        &[
            "cloudfunctions.functions.{get,list}",
            "cloudfunctions.{locations,runtimes}.list",
            "cloudfunctions.operations.{get,list}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    // deliveries
    (
        "roles/cloudscheduler.admin",
        "Cloud Scheduler Admin",
        &[
            "appengine.applications.get",
            "cloudscheduler.jobs.{create,delete,enable,fullView,get,list,pause,run,update}",
            "cloudscheduler.locations.{get,list}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    ("roles/cloudscheduler.jobRunner", "Cloud Scheduler Job Runner", &["cloudscheduler.jobs.{fullView,run}", PROJECT]),
    (
        "roles/cloudscheduler.viewer",
        "Cloud Scheduler Viewer",
        &[
            "appengine.applications.get",
            "cloudscheduler.jobs.{fullView,get,list}",
            "cloudscheduler.locations.{get,list}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/cloudtasks.admin",
        "Cloud Tasks Admin",
        &[
            "cloudtasks.queues.{create,delete,get,getIamPolicy,list,pause,purge,resume,setIamPolicy,update}",
            "cloudtasks.tasks.{create,delete,fullView,get,list,run}",
            "cloudtasks.locations.{get,list}",
            "cloudtasks.operations.get",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/cloudtasks.enqueuer",
        "Cloud Tasks Enqueuer",
        &["cloudtasks.tasks.{create,fullView}", "cloudtasks.operations.get", PROJECT],
    ),
    (
        "roles/cloudtasks.queueAdmin",
        "Cloud Tasks Queue Admin",
        &[
            "cloudtasks.queues.{create,delete,get,getIamPolicy,list,pause,purge,resume,setIamPolicy,update}",
            "cloudtasks.locations.{get,list}",
            "cloudtasks.operations.get",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    ("roles/cloudtasks.taskDeleter", "Cloud Tasks Task Deleter", &["cloudtasks.tasks.delete", PROJECT]),
    ("roles/cloudtasks.taskRunner", "Cloud Tasks Task Runner", &["cloudtasks.tasks.{fullView,run}", PROJECT]),
    (
        "roles/cloudtasks.viewer",
        "Cloud Tasks Viewer",
        &[
            "cloudtasks.{locations,queues,tasks}.{get,list}",
            "cloudtasks.tasks.fullView",
            "cloudtasks.operations.get",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/pubsub.admin",
        "Pub/Sub Admin",
        &[
            "pubsub.topics.{attachSubscription,create,delete,detachSubscription,get,getIamPolicy,list,publish,setIamPolicy,update,updateTag}",
            "pubsub.subscriptions.{consume,create,delete,get,getIamPolicy,list,setIamPolicy,update}",
            "pubsub.snapshots.{create,delete,get,getIamPolicy,list,seek,setIamPolicy,update}",
            "pubsub.schemas.{attach,commit,create,delete,get,getIamPolicy,list,listRevisions,rollback,setIamPolicy,validate}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/pubsub.editor",
        "Pub/Sub Editor",
        &[
            "pubsub.topics.{attachSubscription,create,delete,detachSubscription,get,list,publish,update,updateTag}",
            "pubsub.subscriptions.{consume,create,delete,get,list,update}",
            "pubsub.snapshots.{create,delete,get,list,seek,update}",
            "pubsub.schemas.{attach,commit,create,delete,get,list,listRevisions,rollback,validate}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    ("roles/pubsub.publisher", "Pub/Sub Publisher", &["pubsub.topics.publish"]),
    (
        "roles/pubsub.subscriber",
        "Pub/Sub Subscriber",
        &["pubsub.snapshots.seek", "pubsub.subscriptions.consume", "pubsub.topics.attachSubscription"],
    ),
    (
        "roles/pubsub.viewer",
        "Pub/Sub Viewer",
        &[
            "pubsub.{schemas,snapshots,subscriptions,topics}.{get,list}",
            "pubsub.schemas.{listRevisions,validate}",
            PROJECT,
            SERVICES_GET,
        ],
    ),
    (
        "roles/workflows.admin",
        "Workflows Admin",
        &[
            "workflows.workflows.{create,delete,get,list,listRevision,update}",
            "workflows.executions.{cancel,create,get,list}",
            "workflows.operations.{cancel,get,list}",
            "workflows.locations.{get,list}",
            PROJECT,
        ],
    ),
    ("roles/workflows.invoker", "Workflows Invoker", &["workflows.executions.{cancel,create,get,list}", PROJECT]),
    (
        "roles/workflows.viewer",
        "Workflows Viewer",
        &[
            "workflows.{executions,locations,operations,workflows}.{get,list}",
            "workflows.workflows.listRevision",
            PROJECT,
        ],
    ),
    ("roles/eventarc.eventReceiver", "Eventarc Event Receiver", &["eventarc.events.receiveEvent"]),
    (
        "roles/eventarc.admin",
        "Eventarc Admin",
        &["eventarc.triggers.{create,delete,get,getIamPolicy,list,setIamPolicy,update}", PROJECT],
    ),
    // storage
    (
        "roles/storage.admin",
        "Storage Admin",
        &[
            "storage.buckets.{create,delete,get,getIamPolicy,list,setIamPolicy,update}",
            "storage.objects.{create,createContext,delete,deleteContext,get,getIamPolicy,list,setIamPolicy,update,updateContext}",
            "storage.folders.{create,delete,get,list,rename}",
            "storage.managedFolders.{create,delete,get,getIamPolicy,list,setIamPolicy}",
            "storage.multipartUploads.{abort,create,list,listParts}",
            "orgpolicy.policy.get",
            PROJECT,
        ],
    ),
    (
        "roles/storage.objectAdmin",
        "Storage Object Admin",
        &[
            "storage.objects.{create,createContext,delete,deleteContext,get,getIamPolicy,list,setIamPolicy,update,updateContext}",
            "storage.folders.{create,delete,get,list,rename}",
            "storage.managedFolders.{create,delete,get,list}",
            "storage.multipartUploads.{abort,create,list,listParts}",
            "orgpolicy.policy.get",
            PROJECT,
        ],
    ),
    (
        "roles/storage.objectUser",
        "Storage Object User",
        &[
            "storage.objects.{create,createContext,delete,deleteContext,get,list,update,updateContext}",
            "storage.folders.{create,delete,get,list,rename}",
            "storage.managedFolders.{create,delete,get,list}",
            "storage.multipartUploads.{abort,create,list,listParts}",
            "orgpolicy.policy.get",
            PROJECT,
        ],
    ),
    (
        "roles/storage.objectViewer",
        "Storage Object Viewer",
        &["storage.objects.{get,list}", "storage.folders.{get,list}", "storage.managedFolders.{get,list}", PROJECT],
    ),
    (
        "roles/storage.objectCreator",
        "Storage Object Creator",
        &[
            "storage.objects.{create,createContext}",
            "storage.multipartUploads.{abort,create,listParts}",
            "storage.folders.create",
            "storage.managedFolders.create",
            "orgpolicy.policy.get",
            PROJECT,
        ],
    ),
    (
        "roles/storage.legacyBucketOwner",
        "Storage Legacy Bucket Owner",
        &[
            "storage.buckets.{get,getIamPolicy,setIamPolicy,update}",
            "storage.objects.{create,delete,list}",
            "storage.multipartUploads.{abort,create,list,listParts}",
        ],
    ),
    (
        "roles/storage.legacyBucketReader",
        "Storage Legacy Bucket Reader",
        &["storage.buckets.get", "storage.objects.list", "storage.multipartUploads.list"],
    ),
    (
        "roles/storage.legacyBucketWriter",
        "Storage Legacy Bucket Writer",
        &[
            "storage.buckets.get",
            "storage.objects.{create,delete,list}",
            "storage.multipartUploads.{abort,create,list,listParts}",
        ],
    ),
    (
        "roles/storage.legacyObjectOwner",
        "Storage Legacy Object Owner",
        &["storage.objects.{get,getIamPolicy,setIamPolicy,update}"],
    ),
    ("roles/storage.legacyObjectReader", "Storage Legacy Object Reader", &["storage.objects.get"]),
    // services, organisation policies, logs
    (
        "roles/serviceusage.serviceUsageAdmin",
        "Service Usage Admin",
        &[
            "serviceusage.services.{disable,enable,get,list,use}",
            "serviceusage.operations.{cancel,delete,get,list}",
            "serviceusage.quotas.{get,update}",
        ],
    ),
    (
        "roles/serviceusage.serviceUsageConsumer",
        "Service Usage Consumer",
        &["serviceusage.services.{get,list,use}", "serviceusage.quotas.get", "serviceusage.operations.{get,list}"],
    ),
    (
        "roles/serviceusage.serviceUsageViewer",
        "Service Usage Viewer",
        &["serviceusage.services.{get,list}", "serviceusage.quotas.get", "serviceusage.operations.{get,list}"],
    ),
    (
        "roles/orgpolicy.policyAdmin",
        "Organization Policy Administrator",
        &["orgpolicy.constraints.list", "orgpolicy.policies.{create,delete,list,update}", "orgpolicy.policy.{get,set}"],
    ),
    (
        "roles/orgpolicy.policyViewer",
        "Organization Policy Viewer",
        &["orgpolicy.constraints.list", "orgpolicy.policies.list", "orgpolicy.policy.get"],
    ),
    ("roles/logging.logWriter", "Logs Writer", &["logging.logEntries.{create,route}"]),
    ("roles/logging.viewer", "Logs Viewer", &["logging.logEntries.list", "logging.logs.list", PROJECT]),
];

/// What the braces of a line stand for.
pub(crate) fn expand(line: &str) -> Vec<String> {
    let Some((before, rest)) = line.split_once('{') else { return vec![line.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![line.to_owned()] };
    choices
        .split(',')
        .flat_map(|choice| expand(after).into_iter().map(move |after| format!("{before}{choice}{after}")))
        .collect()
}
