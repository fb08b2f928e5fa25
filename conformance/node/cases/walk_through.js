// The walk-through "Authenticating using Workload Identity Federation to Cloud Run, Cloud Functions", by `call.js`.
//
// Its resources are `fixtures/seeds/000.given.yaml`. The client is a process of its own, as it would be for its user.
'use strict';

const {execFile} = require('node:child_process');
const path = require('node:path');
const axios = require('axios');
const {gaxios} = require('google-auth-library');
const {CREDENTIALS} = require('../support/environment');
const {textFile} = require('../support/sources');
const {equal, holds, need} = require('../support/verdict');
const {Provider} = require('../support/workload');

const CALL = path.resolve(__dirname, '../call.js');
const CONDITION = 'The given credential is rejected by the attribute condition.';

// What differs from the good run, and what must come of it: the surface and check that say no, and words of stderr.
const ROWS = [
  {name: 'the private service answers'},
  {
    name: 'ID token for another audience',
    audience: 'https://billing.example.com',
    refused: ['cloud-run-front', 'audience'],
    words: ['401', 'Bearer error="invalid_token"'],
  },
  {
    name: 'attribute condition not met',
    isadmin: 'false',
    refused: ['sts', 'condition'],
    words: ['unauthorized_client', CONDITION],
  },
  {
    name: 'subject without the role',
    subject: 'bob@domain.com',
    refused: ['iamcredentials', 'permission'],
    words: ['PERMISSION_DENIED', "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"],
  },
];

class WalkThrough {
  constructor(stage) {
    this.stage = stage;
  }

  async set() {
    this.provider ??= await Provider.read(this.stage.owner, 'oidc-pool-run', 'oidc-provider-1');
    this.service ??= await this.stage.owner.service('federated-auth-cloud-run');
    this.account ??= this.stage.owner.email('oidc-federated');
  }

  /** Asked for as the walk-through's curl line does: JSON, called a form. */
  async subjectToken({subject = 'alice@domain.com', isadmin = 'true'}) {
    const name = subject.split('@')[0];
    const claims = {name, isadmin, mygroups: ['group1', 'group2'], sub: subject, email: subject, email_verified: true};
    const answer = await gaxios.request({
      url: `${this.provider.issuer}/token`,
      method: 'POST',
      headers: {'content-type': 'application/x-www-form-urlencoded'},
      body: JSON.stringify({...this.provider.claims(claims), branch: undefined}),
      responseType: 'text',
    });
    return answer.data;
  }

  async run(row, transport) {
    await this.set();
    const source = textFile(this.stage.path('oidccred.txt'), await this.subjectToken(row));
    const credentials = this.provider.file(this.stage.path('sts-creds.json'), source);
    const audience = row.audience ?? this.service;
    const args = [CALL, `${this.service}/dump`, '--account', this.account, '--audience', audience];
    const options = {env: {...process.env, [CREDENTIALS]: credentials}, timeout: 90_000};
    return new Promise(ended =>
      execFile(process.execPath, [...args, '--transport', transport], options, (error, stdout, stderr) =>
        ended({code: error?.code ?? 0, stdout, stderr})
      )
    );
  }

  async passes(row, transport) {
    const surfaces = ['sts', 'iamcredentials', 'cloud-run-front'];
    const done = await this.stage.control.allows(surfaces, () => this.run(row, transport));
    equal(done.code, 0, `the exit code (${done.stderr})`);
    const received = JSON.parse(done.stdout);
    equal(received.path, '/dump', 'the path that the service saw');
    need(received.headers.authorization.endsWith('SIGNATURE_REMOVED_BY_GOOGLE'), 'the service was shown the signature');
  }

  async fails(row, transport) {
    const done = await this.stage.control.refuses(...row.refused, () => this.run(row, transport));
    equal(done.code, 1, `the exit code (${done.stdout}${done.stderr})`);
    for (const words of row.words) holds(done.stderr, words, 'what the client says');
  }

  /** The walk-through's own first look: nobody gets in without a token. */
  async withoutToken() {
    await this.set();
    const get = () => axios.get(this.service, {validateStatus: () => true});
    const answer = await this.stage.control.refuses('cloud-run-front', 'credential', get);
    equal(answer.status, 403, 'the status');
  }
}

function* cases(stage) {
  const walk = new WalkThrough(stage);
  yield {
    client: 'axios',
    path: 'no credentials',
    name: 'nobody gets in without a token',
    trial: () => walk.withoutToken(),
  };
  // Over REST the generated client obeys no proxy: it comes only by name.
  const wires = process.env.HTTPS_PROXY ? {grpc: 'gRPC'} : {grpc: 'gRPC', rest: 'REST'};
  for (const [transport, word] of Object.entries(wires)) {
    for (const row of ROWS) {
      yield {
        client: '@google-cloud/iam-credentials',
        path: `walk-through, ${word}`,
        name: row.name,
        trial: () => (row.refused ? walk.fails(row, transport) : walk.passes(row, transport)),
      };
    }
  }
}

module.exports = {cases};
