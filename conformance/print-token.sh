#!/bin/sh
# The command of an executable source: prints the subject token of a file, as Google's libraries want it.
#
#     print-token.sh FILE AUDIENCE
#
# It refuses, in the libraries' own form, when it was not told the audience that it should serve.
if [ "$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE" != "$2" ]; then
  echo '{"version": 1, "success": false, "code": "401", "message": "asked for another audience"}'
  exit 0
fi
printf '{"version": 1, "success": true, "token_type": "%s", "id_token": "%s", "expiration_time": %d}\n' \
  "$GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE" "$(cat "$1")" "$(($(date +%s) + 3600))"
