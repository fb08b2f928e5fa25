#!/bin/sh
# gcloud itself: the commands of the walk-throughs, credentials of each kind, and what it says when it is refused. Started
# inside `tokenrig exec`. Each case is one line of JSON on stdout.
. "$(dirname "$0")/../shell.sh"

client=gcloud
version=$(gcloud version 2>/dev/null | sed -n 's/^Google Cloud SDK //p')
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

project=$(gcloud config get-value core/project 2>/dev/null)
number=$(gcloud projects describe "$project" --format='value(projectNumber)')
deployer=deployer@$project.iam.gserviceaccount.com
pool=projects/$number/locations/global/workloadIdentityPools/build
provider=$pool/providers/trusted
issuer=$(gcloud iam workload-identity-pools providers describe trusted --workload-identity-pool=build --location=global \
  --format='value(oidc.issuerUri)')
ledger=https://ledger-$number.us-central1.run.app
gcloud iam service-accounts keys create "$folder/key.json" --iam-account="$deployer" >/dev/null 2>&1

# gcloud with a configuration of its own, so that accounts do not meet: NAME, ARGUMENTS…
as() {
  config=$folder/$1
  mkdir -p "$config"
  shift
  CLOUDSDK_CONFIG=$config gcloud "$@" 2>&1
}

# The first part of a token's claims, as text.
claims() {
  printf '%s==' "$1" | cut -d . -f 2 | tr '_-' '/+' | base64 -d 2>/dev/null
}

# A credential file as the walk-through makes it: NAME, SUBJECT, OPTIONS…
credential_file() {
  name=$1 subject=$2
  shift 2
  now=$(date +%s)
  curl --silent -X POST "$issuer/token" >"$folder/$name.txt" \
    -d "{\"iss\":\"$issuer\",\"aud\":\"https://iam.googleapis.com/$provider\",\"sub\":\"$subject\",\"branch\":\"main\",\"iat\":$now,\"exp\":$((now + 3600))}"
  gcloud iam workload-identity-pools create-cred-config "$provider" --credential-source-file="$folder/$name.txt" \
    --output-file="$folder/$name.json" "$@" >/dev/null 2>&1
}

status_of_service() {
  curl --silent --output /dev/null --write-out '%{http_code}' --header "authorization: Bearer $1" "$ledger/"
}

# The machine's own account.

project_known() {
  is "$project" "${GOOGLE_CLOUD_PROJECT:-$project}" 'the project'
  is "$number" "$(gcloud projects list --format='value(projectNumber)')" 'its number'
}

access_token() {
  has "$(gcloud auth print-access-token)" ya29.
}

identity_token() {
  has "$(claims "$(gcloud auth print-identity-token)")" '"aud":"32555940559.apps.googleusercontent.com"'
  has "$(claims "$(gcloud auth print-identity-token --audiences="$ledger")")" "\"aud\":\"$ledger\""
}

config_helper() {
  has "$(claims "$(gcloud config config-helper --format='value(credential.id_token)')")" '"iss":"https://accounts.google.com"'
}

refused_impersonation() {
  said=$(gcloud auth print-access-token --impersonate-service-account="$deployer" 2>&1)
  has "$said" "PERMISSION_DENIED: Failed to impersonate [$deployer]."
  has "$said" "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
}

# A key.

activated() {
  has "$(as key auth activate-service-account --key-file="$folder/key.json")" "Activated service account credentials for: [$deployer]"
  has "$(as key auth print-access-token)" ya29.
  is "$(status_of_service "$(as key auth print-identity-token --audiences="$ledger")")" 200 "the service's status"
}

impersonated() {
  as key auth activate-service-account --key-file="$folder/key.json" >/dev/null
  has "$(as key auth print-access-token --impersonate-service-account="$deployer")" ya29.
  token=$(as key auth print-identity-token --impersonate-service-account="$deployer" --audiences="$ledger" --include-email |
    tail -n 1)
  has "$(claims "$token")" "\"email\":\"$deployer\""
  is "$(status_of_service "$token")" 200 "the service's status"
}

# A workload's file.

logged_in() {
  credential_file plain release
  as plain auth login --cred-file="$folder/plain.json" >/dev/null
  is "$(as plain config get-value core/account | tail -n 1)" \
    "principal://iam.googleapis.com/$pool/subject/release" "the account's name"
  has "$(as plain auth print-access-token)" ya29.
}

logged_in_impersonating() {
  credential_file acting release --service-account="$deployer"
  as acting auth login --cred-file="$folder/acting.json" >/dev/null
  is "$(as acting config get-value core/account | tail -n 1)" "$deployer" "the account's name"
  is "$(as acting projects describe "$project" --format='value(projectNumber)')" "$number" "the project's number"
}

no_identity_token() {
  credential_file none release
  as none auth login --cred-file="$folder/none.json" >/dev/null
  has "$(as none auth print-identity-token)" 'ERROR: (gcloud.auth.print-identity-token)'
}

refused_workload() {
  credential_file nightly nightly --service-account="$deployer"
  as nightly auth login --cred-file="$folder/nightly.json" >/dev/null
  said=$(as nightly auth print-access-token)
  has "$said" 'There was a problem refreshing your current auth tokens'
  has "$said" iam.serviceAccounts.getAccessToken
}

default_credentials() {
  credential_file default release
  token=$(GOOGLE_APPLICATION_CREDENTIALS=$folder/default.json as default auth application-default print-access-token)
  has "$token" ya29.
}

# Administration, as the walk-throughs do it.

accounts() {
  has "$(gcloud iam service-accounts create oidc-caller 2>&1)" 'Created service account [oidc-caller].'
  has "$(gcloud iam service-accounts create oidc-caller 2>&1)" 'Service account oidc-caller already exists within project'
  has "$(gcloud iam service-accounts list)" "oidc-caller@$project.iam.gserviceaccount.com"
  email=oidc-caller@$project.iam.gserviceaccount.com
  member="principal://iam.googleapis.com/$pool/subject/alice@domain.com"
  said=$(gcloud iam service-accounts add-iam-policy-binding "$email" --role=roles/iam.workloadIdentityUser --member="$member" 2>&1)
  has "$said" "Updated IAM policy for serviceAccount [$email]."
  has "$(gcloud iam service-accounts get-iam-policy "$email")" "$member"
  has "$(gcloud iam service-accounts describe "$email")" "projects/$project/serviceAccounts/$email"
}

signed() {
  printf '{"sub":"x","aud":"y","exp":%d}' "$(($(date +%s) + 600))" >"$folder/claims.json"
  as key auth activate-service-account --key-file="$folder/key.json" >/dev/null
  has "$(as key iam service-accounts sign-jwt "$folder/claims.json" "$folder/signed" --iam-account="$deployer")" 'signed jwt'
  has "$(claims "$(cat "$folder/signed")")" '"aud":"y"'
  has "$(as key iam service-accounts sign-blob "$folder/claims.json" "$folder/signature" --iam-account="$deployer")" 'signed blob'
}

pools() {
  said=$(gcloud iam workload-identity-pools create oidc-pool-two --location=global --description='OIDC Pool' \
    --display-name='OIDC Pool' 2>&1)
  has "$said" 'Created workload identity pool [oidc-pool-two].'
  said=$(gcloud iam workload-identity-pools providers create-oidc oidc-provider-1 --workload-identity-pool=oidc-pool-two \
    --issuer-uri="$issuer" --location=global --attribute-mapping='google.subject=assertion.sub,attribute.isadmin=assertion.isadmin' \
    --attribute-condition="attribute.isadmin=='true'" 2>&1)
  has "$said" 'Created workload identity pool provider [oidc-provider-1].'
  has "$(gcloud iam workload-identity-pools list --location=global)" workloadIdentityPools/oidc-pool-two
  said=$(gcloud iam workload-identity-pools providers list --workload-identity-pool=oidc-pool-two --location=global)
  has "$said" "attribute.isadmin=='true'"
}

project_policy() {
  gcloud projects add-iam-policy-binding "$project" --member="serviceAccount:$deployer" --role=roles/viewer --condition=None \
    >"$folder/policy" 2>&1 || fail "$(cat "$folder/policy")"
  has "$(gcloud projects get-iam-policy "$project")" roles/viewer
  has "$(gcloud services list --enabled)" iam.googleapis.com
}

invoker() {
  said=$(gcloud run services add-iam-policy-binding ledger --member="serviceAccount:stranger@$project.iam.gserviceaccount.com" \
    --role=roles/run.invoker 2>&1)
  has "$said" 'Updated IAM policy for service [ledger].'
  has "$(gcloud run services get-iam-policy ledger)" "stranger@$project.iam.gserviceaccount.com"
}

# The status of the last attempt for the resource $1, once there is one that ended; the rig dispatches as its clock runs.
attempted() {
  for _ in $(seq 100); do
    found=$(curl --silent --noproxy '*' "$TOKENRIG_URL/attempts" | tr -d '\n ' | sed 's/{"seq"/\n&/g' |
      grep -F "\"resource\":\"$1\"" | grep '"ended"' | tail -1 | sed -n 's/.*"status":\([0-9]*\).*/\1/p')
    [ -z "$found" ] || break
    sleep 0.1
  done
  printf %s "$found"
}

# The walk-through's commands: no location, which gcloud asks App Engine and Cloud Scheduler for.
walk_through() {
  gcloud scheduler jobs create http oidctest --schedule='5 * * * *' --http-method=GET --uri="$ledger/17" \
    --oidc-service-account-email="$deployer" --oidc-token-audience="$ledger" >"$folder/said" 2>&1 || fail "$(cat "$folder/said")"
  has "$(cat "$folder/said")" "projects/$project/locations/us-central1/jobs/oidctest"
  gcloud scheduler jobs run oidctest >"$folder/said" 2>&1 || fail "$(cat "$folder/said")"
  is "$(attempted "projects/$project/locations/us-central1/jobs/oidctest")" 200 'the answer to the right token'
  gcloud beta scheduler jobs create http gcftest --schedule='5 * * * *' --http-method=GET --uri="$ledger" \
    --oidc-service-account-email="$deployer" --oidc-token-audience=https://other.example.com >"$folder/said" 2>&1 ||
    fail "$(cat "$folder/said")"
  gcloud beta scheduler jobs run gcftest >"$folder/said" 2>&1 || fail "$(cat "$folder/said")"
  is "$(attempted "projects/$project/locations/us-central1/jobs/gcftest")" 401 'the answer to another audience'
  is "$(gcloud scheduler jobs describe gcftest --format='value(status.code)')" 16 'the status of the job'
}

scheduler_jobs() {
  gcloud scheduler jobs create http suite --location=us-central1 --schedule='every 24 hours' --uri="$ledger" \
    --message-body=tea --headers=X-Mine=1 --oauth-service-account-email="$deployer" --max-retry-attempts=2 >"$folder/said" 2>&1 ||
    fail "$(cat "$folder/said")"
  has "$(gcloud scheduler jobs create http suite --location=us-central1 --schedule='* * * * *' --uri="$ledger" 2>&1)" 'already exists'
  gcloud scheduler jobs update http suite --location=us-central1 --schedule='0 4 * * 1' --time-zone=Europe/Berlin \
    >"$folder/said" 2>&1 || fail "$(cat "$folder/said")"
  is "$(gcloud scheduler jobs describe suite --location=us-central1 --format='value(schedule,httpTarget.httpMethod,retryConfig.retryCount)')" \
    "$(printf '0 4 * * 1\tPOST\t2')" 'what was changed and what was not'
  gcloud scheduler jobs pause suite --location=us-central1 >/dev/null 2>&1 || fail 'it cannot be paused'
  has "$(gcloud scheduler jobs list --location=us-central1 2>&1 | grep suite)" PAUSED
  has "$(gcloud scheduler jobs pause suite --location=us-central1 2>&1)" FAILED_PRECONDITION
  gcloud scheduler jobs resume suite --location=us-central1 >/dev/null 2>&1 || fail 'it cannot be resumed'
  said=$(gcloud scheduler jobs create http none --location=us-central1 --schedule='* * * * * *' --uri="$ledger" 2>&1)
  has "$said" 'Schedule or time zone is invalid.'
  gcloud scheduler jobs delete suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'it cannot be deleted'
  has "$(gcloud scheduler jobs describe suite --location=us-central1 2>&1)" NOT_FOUND
}

queues() {
  has "$(gcloud tasks queues create suite --location=us-central1 --min-backoff=60s 2>&1)" 'Created queue [us-central1/suite].'
  has "$(gcloud tasks queues list --location=us-central1)" suite
  # Without a location gcloud asks Cloud Tasks and App Engine for it.
  has "$(gcloud tasks queues list)" suite
  gcloud tasks queues update suite --location=us-central1 --max-dispatches-per-second=5 >/dev/null 2>&1 || fail 'it cannot be updated'
  is "$(gcloud tasks queues describe suite --location=us-central1 --format='value(rateLimits.maxBurstSize)')" 10 'the burst'
  gcloud tasks queues pause suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'it cannot be paused'
  is "$(gcloud tasks queues describe suite --location=us-central1 --format='value(state)')" PAUSED 'the state'
  gcloud tasks queues resume suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'it cannot be resumed'
  gcloud tasks queues add-iam-policy-binding suite --location=us-central1 --role=roles/cloudtasks.enqueuer \
    --member="serviceAccount:$deployer" >/dev/null 2>&1 || fail 'its policy cannot be changed'
  has "$(gcloud tasks queues get-iam-policy suite --location=us-central1)" "$deployer"
  has "$(gcloud tasks queues create suite --location=us-central1 2>&1)" 'Queue already exists'
}

tasks() {
  name=projects/$project/locations/us-central1/queues/suite/tasks
  said=$(gcloud tasks create-http-task good --queue=suite --location=us-central1 --url="$ledger/17" --method=PUT \
    --body-content=tea --oidc-service-account-email="$deployer" --oidc-token-audience="$ledger" 2>&1)
  has "$said" "Created task [$name/good]."
  is "$(attempted "$name/good")" 200 'the answer to the right token'
  gcloud tasks create-http-task wrong --queue=suite --location=us-central1 --url="$ledger" \
    --schedule-time="$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" --oidc-service-account-email="$deployer" \
    --oidc-token-audience=https://other.example.com >/dev/null 2>&1 || fail 'a task that is due later cannot be made'
  has "$(gcloud tasks list --queue=suite --location=us-central1)" wrong
  gcloud tasks run wrong --queue=suite --location=us-central1 >/dev/null 2>&1 || fail 'it cannot be run'
  is "$(attempted "$name/wrong")" 401 'the answer to another audience'
  has "$(gcloud tasks describe wrong --queue=suite --location=us-central1)" 'dispatchCount: 1'
  gcloud tasks delete wrong --queue=suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'it cannot be deleted'
  gcloud tasks queues purge suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'the queue cannot be purged'
  gcloud tasks queues delete suite --location=us-central1 --quiet >/dev/null 2>&1 || fail 'the queue cannot be deleted'
  has "$(gcloud tasks queues create suite --location=us-central1 2>&1)" 'existed too recently'
}

beta_tasks() {
  gcloud tasks queues create beta-suite --location=us-central1 >/dev/null 2>&1 || fail 'a queue cannot be made'
  said=$(gcloud beta tasks create-http-task first --queue=beta-suite --location=us-central1 --url="$ledger" \
    --oidc-service-account-email="$deployer" --oidc-token-audience="$ledger" 2>&1)
  has "$said" 'Created task ['
  is "$(attempted "projects/$project/locations/us-central1/queues/beta-suite/tasks/first")" 200 'the answer'
}

attempt 'metadata server' 'project and its number' project_known
attempt 'metadata server' 'access token' access_token
attempt 'metadata server' 'identity tokens' identity_token
attempt 'metadata server' 'config-helper' config_helper
attempt 'metadata server' 'impersonation without the role' refused_impersonation
attempt 'service-account key' 'activated; the private service' activated
attempt 'service-account key' 'impersonation; the private service' impersonated
attempt 'service-account key' 'sign-jwt and sign-blob' signed
attempt 'login --cred-file' 'federated' logged_in
attempt 'login --cred-file' 'impersonating' logged_in_impersonating
attempt 'login --cred-file' 'no identity token without impersonation' no_identity_token
attempt 'login --cred-file' 'workload without the role' refused_workload
attempt 'application-default' 'access token of a workload' default_credentials
attempt 'administration' 'service accounts' accounts
attempt 'administration' 'pools and providers' pools
attempt 'administration' "the project's policy and services" project_policy
attempt 'administration' 'invoker of a service' invoker
attempt 'Cloud Scheduler' "the walk-through's commands, without a location" walk_through
attempt 'Cloud Scheduler' 'jobs' scheduler_jobs
attempt 'Cloud Tasks' 'queues' queues
attempt 'Cloud Tasks' 'tasks with a token' tasks
attempt 'Cloud Tasks' 'a task by the beta commands' beta_tasks
exit "$failures"
