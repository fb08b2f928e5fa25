// Refusals by STS, IAM Credentials, oauth2 and Cloud Run, as the packages tell them.
'use strict';

const {IAMCredentialsClient} = require('@google-cloud/iam-credentials');
const {GoogleAuth, Impersonated} = require('google-auth-library');
const {CREDENTIALS, environment} = require('../support/environment');
const {CLOUD} = require('../support/rig');
const {call, get} = require('../support/service');
const {textFile} = require('../support/sources');
const {equal, holds, raises} = require('../support/verdict');
const {Provider} = require('../support/workload');

const AUTH = 'google-auth-library';
const GAPIC = '@google-cloud/iam-credentials';
const CONDITION = 'The given credential is rejected by the attribute condition.';
const TARGET =
  'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or ' +
  "provider is disabled or deleted or because it doesn't exist.";
const NO_ID_TOKEN = "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).";
const NO_ACCESS_TOKEN = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
const CHALLENGE = 'Bearer error="invalid_token" error_description="The access token could not be verified"';

class Exchange {
  constructor(stage) {
    this.stage = stage;
  }

  /** The exchange of `token` fails `check`, and the library says just `words`. */
  async refused(token, check, words, provider = this.stage.provider) {
    const source = textFile(this.stage.path('token.txt'), token);
    const keyFile = provider.file(this.stage.path('credentials.json'), source);
    const client = await new GoogleAuth({keyFile, scopes: CLOUD}).getClient();
    const error = await this.stage.control.refuses('sts', check, () => raises(() => client.getAccessToken()));
    equal(error.message, `Error code ${words}`, 'what the library says');
  }

  async changed(check, words, claims) {
    await this.refused(await this.stage.provider.token(claims), check, words);
  }

  condition() {
    return this.changed('condition', `unauthorized_client: ${CONDITION}`, {branch: 'topic'});
  }

  subject() {
    const words = 'unauthorized_client: Could not obtain a value for google.subject from the given credential.';
    return this.changed('mapping', words, {sub: null});
  }

  audience() {
    const aud = 'https://elsewhere.example';
    const words = `invalid_grant: The audience in ID Token [${aud}] does not match the expected audience.`;
    return this.changed('token-audience', words, {aud});
  }

  expired() {
    const iat = Math.floor(Date.now() / 1000) - 7200;
    const words = `invalid_grant: ID Token issued at ${iat} is stale to sign-in.`;
    return this.changed('times', words, {iat, exp: iat + 3600});
  }

  async signature() {
    const {provider} = this.stage;
    const words = 'invalid_grant: Unable to verify the ID Token signature.';
    await this.refused(provider.forged(await provider.token()), 'signature', words);
  }

  async disabled() {
    const {closed} = this.stage;
    await this.refused(await closed.token(), 'provider', `invalid_target: ${TARGET}`, closed);
  }

  async unknown() {
    const known = this.stage.provider;
    const provider = new Provider(`${known.name}-2`, known.issuer);
    await this.refused(await provider.token(), 'provider', `invalid_target: ${TARGET}`, provider);
  }

  async byClient() {
    await environment({[CREDENTIALS]: await this.stage.build({branch: 'topic'})}, async () => {
      const client = new IAMCredentialsClient();
      const name = `projects/-/serviceAccounts/${this.stage.deployer}`;
      const ask = () => raises(() => client.generateIdToken({name, audience: 'x'}), CONDITION);
      await this.stage.control.refuses('sts', 'condition', ask);
    });
  }
}

class IamCredentials {
  constructor(stage) {
    this.stage = stage;
    this.name = `projects/-/serviceAccounts/${stage.deployer}`;
  }

  /** generateAccessToken by gRPC fails `check`. */
  async refused(check, code, words, options, more = {}) {
    const client = new IAMCredentialsClient(options ?? {keyFilename: this.stage.key});
    const ask = () => raises(() => client.generateAccessToken({name: this.name, scope: [CLOUD], ...more}), words);
    const error = await this.stage.control.refuses('iamcredentials', check, ask);
    equal(error.code, code, 'the code');
  }

  async permission() {
    await this.refused('permission', 7, NO_ACCESS_TOKEN, {keyFilename: await this.stage.build({sub: 'nightly'})});
  }

  async lifetime() {
    await this.refused('request', 3, 'can not have lifetimes of more than 1 hour', null, {lifetime: {seconds: 7200}});
  }

  async bogusScope() {
    await this.refused('request', 3, 'Request contains an invalid argument.', null, {scope: [this.stage.ledger]});
  }

  async byFile() {
    const keyFile = await this.stage.build({sub: 'nightly', impersonate: this.stage.deployer});
    const client = await new GoogleAuth({keyFile, scopes: CLOUD}).getClient();
    const ask = () => raises(() => client.getAccessToken(), NO_ACCESS_TOKEN);
    const error = await this.stage.control.refuses('iamcredentials', 'permission', ask);
    equal(error.status, 403, 'the status');
  }

  async idToken() {
    const sourceClient = this.stage.client(CLOUD);
    const target = new Impersonated({sourceClient, targetPrincipal: this.stage.stranger, targetScopes: [CLOUD]});
    const ask = () => raises(() => target.fetchIdToken(this.stage.ledger), NO_ID_TOKEN);
    await this.stage.control.refuses('iamcredentials', 'permission', ask);
  }
}

class Oauth2 {
  constructor(stage) {
    this.stage = stage;
  }

  async refused(key, check, words) {
    const client = this.stage.client(CLOUD, key);
    const error = await this.stage.control.refuses('oauth2-token', check, () => raises(() => client.authorize()));
    equal(error.message, words, 'what the library says');
  }

  async deletedKey() {
    const key = this.stage.readKey(await this.stage.newKey(this.stage.deployer));
    const name = `projects/-/serviceAccounts/${this.stage.deployer}/keys/${key.private_key_id}`;
    await this.stage.owner.auth.request({url: `https://iam.googleapis.com/v1/${name}`, method: 'DELETE'});
    await this.refused(key, 'signature', 'invalid_grant: Invalid JWT Signature.');
  }

  async wrongKey() {
    const other = this.stage.readKey(await this.stage.newKey(this.stage.stranger));
    const key = {...this.stage.readKey(), private_key: other.private_key};
    await this.refused(key, 'signature', 'invalid_grant: Invalid JWT Signature.');
  }

  async unknownAccount() {
    const key = {...this.stage.readKey(), client_email: this.stage.owner.email('nobody-2')};
    await this.refused(key, 'account', 'invalid_grant: Invalid grant: account not found');
  }
}

class FrontDoor {
  constructor(stage) {
    this.stage = stage;
  }

  /** The same token by HTTP and by gRPC, where the refusal is Cloud Run's page, and a status that gRPC makes of it. */
  async refused(token, check, status, challenge, code) {
    const {control, ledger} = this.stage;
    const answer = await control.refuses('cloud-run-front', check, () => get(ledger, token));
    equal(answer.status, status, 'the status');
    equal(answer.headers['www-authenticate'], challenge, 'the challenge');
    const error = await control.refuses('cloud-run-front', check, () => raises(() => call(ledger, token)));
    equal(error.code, code, 'the code by gRPC');
    holds(error.message, String(status), 'what gRPC says');
  }

  token(audience, keyFile) {
    return this.stage.client(undefined, this.stage.readKey(keyFile)).fetchIdToken(audience);
  }

  async audience() {
    await this.refused(await this.token('https://elsewhere.example'), 'audience', 401, CHALLENGE, 16);
  }

  async noInvoker() {
    const token = await this.token(this.stage.ledger, await this.stage.newKey(this.stage.stranger));
    await this.refused(token, 'permission', 403, undefined, 7);
  }

  async nobody() {
    await this.refused(undefined, 'credential', 403, undefined, 7);
  }

  async accessToken() {
    const {token} = await this.stage.client(CLOUD).getAccessToken();
    await this.refused(token, 'credential', 401, CHALLENGE, 16);
  }

  /** A client of the library says just the status. */
  async byLibrary() {
    const client = await new GoogleAuth({keyFile: this.stage.key}).getIdTokenClient('https://elsewhere.example');
    const ask = () => raises(() => client.request({url: `${this.stage.ledger}/entries`}));
    const error = await this.stage.control.refuses('cloud-run-front', 'audience', ask);
    equal(error.status, 401, 'the status');
  }
}

function* cases(stage) {
  const groups = [
    [AUTH, 'refused by STS', new Exchange(stage), {
      'attribute condition not met': 'condition',
      'no subject': 'subject',
      'other audience': 'audience',
      'expired subject token': 'expired',
      'wrong key': 'signature',
      'disabled provider': 'disabled',
      'unknown provider': 'unknown',
    }],
    [GAPIC, 'refused by STS, gRPC', new Exchange(stage), {'attribute condition not met': 'byClient'}],
    [GAPIC, 'refused by IAM Credentials, gRPC', new IamCredentials(stage), {
      'no permission': 'permission',
      'lifetime over an hour': 'lifetime',
      'a scope that is none': 'bogusScope',
    }],
    [AUTH, 'refused by IAM Credentials', new IamCredentials(stage), {
      'workload may not act as the account': 'byFile',
      'ID token of another account': 'idToken',
    }],
    [AUTH, 'refused by oauth2', new Oauth2(stage), {
      'deleted key': 'deletedKey',
      'wrong key': 'wrongKey',
      'unknown account': 'unknownAccount',
    }],
    ['@grpc/grpc-js', 'refused by Cloud Run, HTTP and gRPC', new FrontDoor(stage), {
      'ID token for another audience': 'audience',
      'account without invoker': 'noInvoker',
      'no token': 'nobody',
      'access token': 'accessToken',
    }],
    [AUTH, 'refused by Cloud Run', new FrontDoor(stage), {'ID token for another audience': 'byLibrary'}],
  ];
  for (const [client, path, of, rows] of groups) {
    for (const [name, trial] of Object.entries(rows)) yield {client, path, name, trial: () => of[trial]()};
  }
}

module.exports = {cases};
