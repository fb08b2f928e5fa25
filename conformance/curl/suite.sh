#!/bin/sh
# The walk-through by hand: what a person types with curl, from the subject token to the private service, and each refusal
# as curl shows it, word for word. Started inside `tokenrig exec`, by either route. Each case is one line of JSON on stdout.
. "$(dirname "$0")/../shell.sh"

client=curl
version=$(curl --version | sed -n '1s/^curl \([^ ]*\).*/\1/p')
route=${HTTPS_PROXY:+by proxy}
route=${route:-by name}

iam=https://iam.googleapis.com/v1
credentials=https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts
cloud=https://www.googleapis.com/auth/cloud-platform
metadata=http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1
challenge='Bearer error="invalid_token" error_description="The access token could not be verified"'

# The body, and the status as a last line of its own.
ask() {
  curl --silent --show-error --max-time 20 --write-out '\n%{http_code}' "$@"
}

status() {
  printf '%s\n' "$1" | tail -n 1
}

# The answer must have this status: ANSWER, STATUS
answered() {
  is "$(status "$1")" "$2" "the status of $1"
}

from_metadata() {
  curl --silent --max-time 20 --header 'Metadata-Flavor: Google' "$metadata/$1"
}

owner() {
  member "$(from_metadata "instance/service-accounts/default/token")" access_token
}

# A resource, read by the project's owner.
read_as_owner() {
  ask --header "authorization: Bearer $(owner)" "$1"
}

project=$(from_metadata project/project-id)
number=$(from_metadata project/numeric-project-id)
pool=projects/$number/locations/global/workloadIdentityPools/build
provider=$pool/providers/trusted
deployer=deployer@$project.iam.gserviceaccount.com
stranger=stranger@$project.iam.gserviceaccount.com
issuer=$(member "$(read_as_owner "$iam/$provider")" issuerUri)
ledger=$(member "$(read_as_owner "https://run.googleapis.com/v2/projects/$project/locations/us-central1/services/ledger")" uri)

# A subject token of the build's own provider, asked for as the walk-through does: SUBJECT, BRANCH
mint() {
  now=$(date +%s)
  curl --silent --max-time 20 -X POST "$issuer/token" \
    -d "{\"iss\":\"$issuer\",\"aud\":\"https://iam.googleapis.com/$provider\",\"sub\":\"$1\",\"branch\":\"$2\",\"iat\":$now,\"exp\":$((now + 3600))}"
}

# STS's answer to a subject token: TOKEN, PROVIDER
exchange() {
  ask https://sts.googleapis.com/v1/token \
    --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
    --data-urlencode "audience=//iam.googleapis.com/$2" \
    --data-urlencode "scope=$cloud" \
    --data-urlencode requested_token_type=urn:ietf:params:oauth:token-type:access_token \
    --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:jwt \
    --data-urlencode "subject_token=$1"
}

federated() {
  member "$(exchange "$(mint "${1:-release}" main)" "$provider")" access_token
}

# METHOD of the account, with a JSON body: TOKEN, EMAIL, METHOD, BODY
of_account() {
  ask --header "authorization: Bearer $1" --json "$4" "$credentials/$2:$3"
}

id_token() {
  member "$(of_account "$(federated)" "$deployer" generateIdToken "{\"audience\":\"$1\",\"includeEmail\":true}")" token
}

# What goes right.

exchanged() {
  answer=$(exchange "$(mint release main)" "$provider")
  answered "$answer" 200
  has "$answer" '"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"'
  has "$answer" '"token_type":"Bearer"'
  has "$answer" '"expires_in":3'
}

impersonated() {
  answer=$(of_account "$(federated)" "$deployer" generateAccessToken "{\"scope\":[\"$cloud\"],\"lifetime\":\"600s\"}")
  answered "$answer" 200
  answer=$(ask --header "authorization: Bearer $(member "$answer" accessToken)" \
    "https://cloudresourcemanager.googleapis.com/v1/projects/$project")
  answered "$answer" 200
  is "$(member "$answer" projectNumber)" "$number" "the project's number"
}

by_http() {
  answer=$(ask "--http$1" --header "authorization: Bearer $(id_token "$ledger")" "$ledger/entries?page=2")
  answered "$answer" 200
  has "$answer" '"path":"/entries"'
  has "$answer" 'SIGNATURE_REMOVED_BY_GOOGLE'
}

by_http_1() { by_http 1.1; }
by_http_2() { by_http 2; }

# A gRPC call by hand: a frame that holds one message, which the echo sends back, and the trailer that says it went well.
by_grpc() {
  folder=$(mktemp -d)
  printf '\000\000\000\000\004\012\002hi' >"$folder/sent"
  curl --silent --max-time 20 --http2 --dump-header "$folder/head" --output "$folder/got" \
    --header "authorization: Bearer $(id_token "$ledger")" --header 'content-type: application/grpc' \
    --header 'te: trailers' --data-binary "@$folder/sent" "$ledger/shop.Ledger/Enter"
  head=$(cat "$folder/head")
  cmp "$folder/sent" "$folder/got" || fail "another message came back"
  rm -r "$folder"
  has "$head" 'grpc-status: 0'
}

identity() {
  token=$(from_metadata "instance/service-accounts/default/identity?audience=$ledger&format=full")
  answer=$(ask "https://oauth2.googleapis.com/tokeninfo?id_token=$token")
  answered "$answer" 200
  is "$(member "$answer" aud)" "$ledger" "the audience"
}

# What is refused, word for word.

refused_by_sts() {
  answered "$1" 400
  is "$(printf '%s\n' "$1" | sed '$d')" "{\"error\":\"$2\",\"error_description\":\"$3\"}" "the answer"
}

condition() {
  refused_by_sts "$(exchange "$(mint release topic)" "$provider")" unauthorized_client \
    'The given credential is rejected by the attribute condition.'
}

no_token() {
  refused_by_sts "$(exchange 'not a token' "$provider")" invalid_grant 'Unable to verify the ID Token signature.'
}

disabled() {
  answer=$(exchange "$(mint release main)" "$pool/providers/closed")
  answered "$answer" 400
  has "$answer" '"error":"invalid_target"'
}

no_permission() {
  answer=$(of_account "$(federated nightly)" "$deployer" generateIdToken '{"audience":"x"}')
  answered "$answer" 403
  has "$answer" '"status": "PERMISSION_DENIED"'
  has "$answer" "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."
}

no_credential() {
  answer=$(ask --json '{"audience":"x"}' "$credentials/$deployer:generateIdToken")
  answered "$answer" 401
  has "$answer" '"reason": "CREDENTIALS_MISSING"'
}

too_long() {
  answer=$(of_account "$(federated)" "$deployer" generateAccessToken "{\"scope\":[\"$cloud\"],\"lifetime\":\"7200s\"}")
  answered "$answer" 400
  has "$answer" 'can not have lifetimes of more than 1 hour'
}

# The head and page of the front door: TOKEN
door() {
  curl --silent --max-time 20 --include ${1:+--header "authorization: Bearer $1"} "$ledger/entries"
}

other_audience() {
  answer=$(door "$(id_token https://billing.example.com)")
  has "$answer" ' 401'
  has "$answer" "www-authenticate: $challenge"
  has "$answer" 'Your client does not have permission to the requested URL <code>/entries</code>.'
}

access_token() {
  answer=$(door "$(owner)")
  has "$answer" ' 401'
  has "$answer" "www-authenticate: $challenge"
}

nobody() {
  answer=$(door '')
  has "$answer" ' 403'
  has "$answer" 'Your client does not have permission to get URL <code>/entries</code> from this server.'
}

no_invoker() {
  answer=$(of_account "$(owner)" "$stranger" generateIdToken "{\"audience\":\"$ledger\"}")
  # The owner may not act as an account just because the project is theirs.
  answered "$answer" 403
  has "$answer" 'iam.serviceAccounts.getOpenIdToken'
}

attempt "walk-through, $route" 'subject token exchanged' exchanged
attempt "walk-through, $route" 'access token of the account' impersonated
attempt "walk-through, $route" 'service by HTTP/1.1' by_http_1
attempt "walk-through, $route" 'service by HTTP/2' by_http_2
attempt "walk-through, $route" 'service by gRPC' by_grpc
attempt "metadata server, $route" 'ID token, seen by tokeninfo' identity
attempt "refused by STS, $route" 'attribute condition not met' condition
attempt "refused by STS, $route" 'no token at all' no_token
attempt "refused by STS, $route" 'disabled provider' disabled
attempt "refused by IAM Credentials, $route" 'no permission' no_permission
attempt "refused by IAM Credentials, $route" 'owner without the role' no_invoker
attempt "refused by IAM Credentials, $route" 'no credential' no_credential
attempt "refused by IAM Credentials, $route" 'lifetime over an hour' too_long
attempt "refused by Cloud Run, $route" 'ID token for another audience' other_audience
attempt "refused by Cloud Run, $route" 'access token' access_token
attempt "refused by Cloud Run, $route" 'no token' nobody
exit "$failures"
