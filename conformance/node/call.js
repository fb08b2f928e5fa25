// Calls a private Cloud Run service the way a federated workload does, with Google's own client and axios.
//
//     call.js URL --account EMAIL --audience AUDIENCE [--transport grpc|rest]
//
// Application Default Credentials (an `external_account` file, as a rule) become a federated token, IAM Credentials makes
// an ID token of it, and that token goes to URL. The service's JSON answer is printed. When one of the three says no, its
// words go to stderr, with the status, and the exit code is 1.
'use strict';

const {parseArgs} = require('node:util');
const {IAMCredentialsClient} = require('@google-cloud/iam-credentials');
const axios = require('axios');

function args() {
  const text = {type: 'string'};
  const options = {account: text, audience: text, transport: {...text, default: 'grpc'}};
  const {values, positionals} = parseArgs({options, allowPositionals: true});
  if (positionals.length !== 1 || !values.account || !values.audience) {
    console.error('usage: call.js URL --account EMAIL --audience AUDIENCE [--transport grpc|rest]');
    process.exit(2);
  }
  return {...values, url: positionals[0]};
}

async function idToken({account, audience, transport}) {
  // `fallback` is the library's word for JSON over HTTP/1.1.
  const client = new IAMCredentialsClient({fallback: transport === 'rest'});
  const [answer] = await client.generateIdToken({
    name: `projects/-/serviceAccounts/${account}`,
    audience,
    includeEmail: true,
  });
  return answer.token;
}

async function main() {
  const wanted = args();
  let token;
  try {
    token = await idToken(wanted);
  } catch (error) {
    console.error(`no ID token: ${error.message}`);
    return 1;
  }
  try {
    const answer = await axios.get(wanted.url, {headers: {Authorization: `Bearer ${token}`}});
    console.log(JSON.stringify(answer.data, null, 2));
    return 0;
  } catch (error) {
    if (!error.response) {
      console.error(`${wanted.url} cannot be reached: ${error.message}`);
      return 1;
    }
    console.error(`${wanted.url} refused it: ${error.response.status} ${error.response.statusText}`);
    console.error(error.response.headers['www-authenticate'] ?? '');
    return 1;
  }
}

main().then(code => (process.exitCode = code));
