// Federation by credential file: every source of subject tokens, with and without impersonation, over both wires.
//
// Each ends with an ID token of the deployer, asked for with Application Default Credentials, and with the service that
// it opens, called by HTTP and by gRPC.
'use strict';

const fs = require('node:fs');
const {IAMCredentialsClient} = require('@google-cloud/iam-credentials');
const {GoogleAuth} = require('google-auth-library');
const {CREDENTIALS, EXECUTABLES, PROJECT, environment} = require('../support/environment');
const {CLOUD} = require('../support/rig');
const {byGrpc, byHttp} = require('../support/service');
const {executable, jsonFile, textFile} = require('../support/sources');
const {ofDeployer} = require('../support/stage');
const {equal, need, raises} = require('../support/verdict');
const {JWT} = require('../support/workload');

const AUTH = 'google-auth-library';

class Federation {
  constructor(stage) {
    this.stage = stage;
  }

  /** Each kind of source, which holds a fresh subject token once it is called for. */
  sources() {
    const {stage} = this;
    const token = () => stage.provider.token();
    const served = async form => {
      stage.server.token = await token();
      return stage.server.source(form);
    };
    return {
      'file, text': async () => textFile(stage.path('token.txt'), await token()),
      'file, JSON': async () => jsonFile(stage.path('token.json'), await token()),
      'url, text': () => served('text'),
      'url, JSON': () => served('json'),
      executable: () => this.executable(),
    };
  }

  async executable(audience = `//iam.googleapis.com/${this.stage.provider.name}`, options = {}) {
    return executable(this.stage.path('token.txt'), await this.stage.provider.token(), audience, options);
  }

  file(source, impersonate, more) {
    const account = impersonate ? this.stage.deployer : undefined;
    return this.stage.provider.file(this.stage.path('credentials.json'), source, account, more);
  }

  async byGapic(name) {
    const client = new IAMCredentialsClient();
    const [answer] = await client.generateIdToken({name, audience: this.stage.ledger, includeEmail: true});
    await client.close();
    return answer.token;
  }

  async byAuth(name) {
    const auth = new GoogleAuth({scopes: CLOUD});
    const url = `https://iamcredentials.googleapis.com/v1/${name}:generateIdToken`;
    const data = {audience: this.stage.ledger, includeEmail: true};
    return (await auth.request({url, method: 'POST', data})).data.token;
  }

  async idToken(source, impersonate, wire) {
    const {stage} = this;
    const variables = {[CREDENTIALS]: this.file(await source(), impersonate), [EXECUTABLES]: 1};
    const surfaces = impersonate ? ['sts', 'iamcredentials', 'iamcredentials'] : ['sts', 'iamcredentials'];
    const name = `projects/-/serviceAccounts/${stage.deployer}`;
    const token = await stage.control.allows(surfaces, () =>
      environment(variables, () => (wire === 'gRPC' ? this.byGapic(name) : this.byAuth(name)))
    );
    ofDeployer(stage, token, stage.ledger);
    await stage.control.allows(['cloud-run-front', 'cloud-run-front'], async () => {
      await byHttp(stage.ledger, token);
      await byGrpc(stage.ledger, token);
    });
  }

  client(file) {
    return new GoogleAuth({keyFile: file, scopes: CLOUD}).getClient();
  }

  /** The library looks up the id of the project whose number it knows. */
  async project(impersonate) {
    const file = this.file(await this.sources()['file, text'](), impersonate);
    const found = await environment({[CREDENTIALS]: file, [PROJECT]: undefined}, async () => {
      const client = await this.client(file);
      return client.getProjectId();
    });
    equal(found, this.stage.owner.project, 'the project that the library found');
  }

  async lifetime() {
    const more = {service_account_impersonation: {token_lifetime_seconds: 1200}};
    const client = await this.client(this.file(await this.sources()['file, text'](), true, more));
    await client.getAccessToken();
    const left = (client.credentials.expiry_date - Date.now()) / 1000;
    need(1190 <= left && left <= 1201, `the access token has ${left} seconds, not 1200`);
  }

  async refresh(source) {
    const client = await this.client(this.file(source, false));
    return environment({[EXECUTABLES]: 1}, () => client.getAccessToken());
  }

  /** What an earlier run of the command has left in its output file is used, and the command is not run. */
  async leftBehind() {
    const output = this.stage.path('answer.json');
    const answer = {version: 1, success: true, token_type: JWT, id_token: await this.stage.provider.token()};
    fs.writeFileSync(output, JSON.stringify({...answer, expiration_time: Math.floor(Date.now() / 1000) + 600}));
    const source = await this.executable("nobody's", {output_file: output});
    await this.stage.control.allows(['sts'], () => this.refresh(source));
  }

  async saysNo() {
    const source = await this.executable('another-audience');
    await raises(() => this.refresh(source), 'asked for another audience');
  }

  async notAllowed() {
    const client = await this.client(this.file(await this.executable(), false));
    const refresh = () => environment({[EXECUTABLES]: undefined}, () => client.getAccessToken());
    await raises(refresh, 'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES');
  }

  async withoutHeader() {
    this.stage.server.token = await this.stage.provider.token();
    const error = await raises(() => this.refresh(this.stage.server.source('text', {})));
    equal(error.status, 403, 'the status that the library tells');
  }

  /** The library makes no ID token of a workload's file by itself; it says what to do instead. */
  async noIdToken() {
    const file = this.file(await this.sources()['file, text'](), false);
    const auth = new GoogleAuth({keyFile: file, scopes: CLOUD});
    await raises(() => auth.getIdTokenClient(this.stage.ledger), 'Cannot fetch ID token in this environment');
  }
}

function* cases(stage) {
  const flow = new Federation(stage);
  for (const [wire, client] of [['gRPC', '@google-cloud/iam-credentials'], ['REST', AUTH]]) {
    for (const impersonate of [false, true]) {
      const how = impersonate ? 'impersonated' : 'federated';
      for (const [name, source] of Object.entries(flow.sources())) {
        const trial = () => flow.idToken(source, impersonate, wire);
        yield {client, path: `${how} workload, ${wire}`, name: `ID token and service, ${name}`, trial};
      }
    }
  }
  for (const impersonate of [false, true]) {
    const path = 'default credentials, ' + (impersonate ? 'impersonated' : 'federated');
    yield {client: AUTH, path, name: 'project looked up by its number', trial: () => flow.project(impersonate)};
  }
  const more = [
    ['default credentials, impersonated', 'lifetime of 20 minutes', 'lifetime'],
    ['default credentials, federated', 'no ID token without impersonation', 'noIdToken'],
    ['executable source', 'what it has left behind', 'leftBehind'],
    ['executable source', 'the command says no', 'saysNo'],
    ['executable source', 'not allowed by the environment', 'notAllowed'],
    ['url source', 'without the header', 'withoutHeader'],
  ];
  for (const [path, name, trial] of more) yield {client: AUTH, path, name, trial: () => flow[trial]()};
}

module.exports = {cases};
