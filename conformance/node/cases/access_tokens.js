// Access tokens: by key, by the machine, self-signed, impersonated, downscoped; what an account signs.
'use strict';

const crypto = require('node:crypto');
const {IAMCredentialsClient} = require('@google-cloud/iam-credentials');
const {DownscopedClient, GoogleAuth, Impersonated, OAuth2Client, gaxios} = require('google-auth-library');
const {CREDENTIALS, PROJECT, environment} = require('../support/environment');
const {CLOUD} = require('../support/rig');
const {open} = require('../support/stage');
const {equal, need, raises} = require('../support/verdict');

const AUTH = 'google-auth-library';
const GAPIC = '@google-cloud/iam-credentials';

class AccessTokens {
  constructor(stage) {
    this.stage = stage;
    this.resource = `projects/-/serviceAccounts/${stage.deployer}`;
    this.url = `https://cloudresourcemanager.googleapis.com/v1/projects/${stage.owner.project}`;
  }

  key() {
    return this.stage.client(CLOUD);
  }

  /** Resource Manager answers a client with these credentials. */
  async reads(client) {
    const answer = await client.request({url: this.url});
    equal(answer.data.projectNumber, this.stage.owner.number, 'the project number');
  }

  async byOauth2() {
    await this.stage.control.allows(['oauth2-token', 'cloudresourcemanager'], () => this.reads(this.key()));
  }

  /** Without a scope the library signs a token for the service itself, and asks no token endpoint. */
  async selfSigned() {
    const headers = await this.stage.client().getRequestHeaders('https://cloudresourcemanager.googleapis.com/');
    const answer = await this.stage.control.allows(['cloudresourcemanager'], () =>
      gaxios.request({url: this.url, headers})
    );
    equal(answer.data.projectNumber, this.stage.owner.number, 'the project number');
  }

  async defaultKey() {
    await environment({[CREDENTIALS]: this.stage.key, [PROJECT]: undefined}, async () => {
      const auth = new GoogleAuth({scopes: CLOUD});
      equal(await auth.getProjectId(), this.stage.owner.project, 'the project of the key');
      await this.reads(auth);
    });
  }

  async defaultMachine() {
    await environment({[CREDENTIALS]: undefined, [PROJECT]: undefined}, async () => {
      const auth = new GoogleAuth({scopes: CLOUD});
      equal(await auth.getProjectId(), this.stage.owner.project, 'the project of the machine');
      await this.reads(auth);
    });
  }

  /** A generated client with a key asks no token endpoint: it signs for its own service. */
  async selfSignedCall() {
    const client = new IAMCredentialsClient({keyFilename: this.stage.key});
    const call = () => client.generateAccessToken({name: this.resource, scope: [CLOUD]});
    const [answer] = await this.stage.control.allows(['iamcredentials'], call);
    need(answer.accessToken.startsWith('ya29.'), 'the access token has another form');
  }

  async impersonated() {
    const target = new Impersonated({
      sourceClient: this.key(),
      targetPrincipal: this.stage.deployer,
      targetScopes: [CLOUD],
      lifetime: 600,
    });
    await this.reads(target);
    const left = (target.credentials.expiry_date - Date.now()) / 1000;
    need(590 <= left && left <= 601, `the access token has ${left} seconds, not 600`);
  }

  /** A token that opens one bucket and nothing else. */
  async downscoped() {
    const accessBoundaryRules = [
      {
        availableResource: '//storage.googleapis.com/projects/_/buckets/reports',
        availablePermissions: ['inRole:roles/storage.objectViewer'],
      },
    ];
    const narrow = new DownscopedClient(this.key(), {accessBoundary: {accessBoundaryRules}});
    await this.stage.control.allows(['oauth2-token', 'sts'], () => narrow.getAccessToken());
    const error = await this.stage.control.refuses('cloudresourcemanager', 'permission', () =>
      raises(() => narrow.request({url: this.url}))
    );
    equal(error.status, 403, 'the status');
  }

  async tokenInfo() {
    const {token} = await this.key().getAccessToken();
    const info = await new OAuth2Client().getTokenInfo(token);
    equal(info.scopes, [CLOUD], 'the scopes of the token');
  }

  async certificates() {
    const url = `https://www.googleapis.com/robot/v1/metadata/x509/${this.stage.deployer}`;
    return Object.values((await gaxios.request({url})).data);
  }

  verifies(certificates, text, signature) {
    return certificates.some(one => crypto.verify('sha256', Buffer.from(text), one, Buffer.from(signature, 'base64')));
  }

  async signBlob() {
    const source = new GoogleAuth({keyFile: this.stage.key, scopes: CLOUD});
    const target = new Impersonated({
      sourceClient: await source.getClient(),
      targetPrincipal: this.stage.deployer,
      targetScopes: [CLOUD],
    });
    const {signedBlob} = await target.sign('pay 5');
    const certificates = await this.certificates();
    need(this.verifies(certificates, 'pay 5', signedBlob), 'the signature does not hold');
    need(!this.verifies(certificates, 'pay 6', signedBlob), 'the signature holds for anything');
  }

  async signJwt() {
    const now = Math.floor(Date.now() / 1000);
    const payload = {iss: this.stage.deployer, sub: 'x', aud: 'y', iat: now, exp: now + 600};
    const client = new IAMCredentialsClient({keyFilename: this.stage.key});
    const [{signedJwt}] = await client.signJwt({name: this.resource, payload: JSON.stringify(payload)});
    equal(open(signedJwt), payload, 'the claims that were signed');
    const [header, claims, signature] = signedJwt.split('.');
    const text = `${header}.${claims}`;
    need(this.verifies(await this.certificates(), text, Buffer.from(signature, 'base64url')), 'it does not verify');
  }

  /** Many calls at once by one client, each of which must get the token that it asked for. */
  async atOnce() {
    const client = new IAMCredentialsClient({keyFilename: this.stage.key});
    const audiences = Array.from({length: 40}, (_, number) => `https://shop-${number}.example`);
    const answers = await Promise.all(
      audiences.map(audience => client.generateIdToken({name: this.resource, audience, includeEmail: true}))
    );
    equal(answers.map(([{token}]) => open(token).aud), audiences, 'the audiences');
  }
}

function* cases(stage) {
  const ways = new AccessTokens(stage);
  const rows = [
    [AUTH, 'service-account key', 'scoped token by oauth2', 'byOauth2'],
    [AUTH, 'service-account key', 'self-signed, for the service', 'selfSigned'],
    [AUTH, 'service-account key', 'default credentials', 'defaultKey'],
    [AUTH, 'service-account key', 'tokeninfo', 'tokenInfo'],
    [AUTH, 'metadata server', 'default credentials', 'defaultMachine'],
    [AUTH, 'Impersonated', 'lifetime of 10 minutes', 'impersonated'],
    [AUTH, 'Impersonated', 'sign, verified by certificate', 'signBlob'],
    [AUTH, 'DownscopedClient', 'a token within an access boundary', 'downscoped'],
    [GAPIC, 'service-account key, gRPC', 'access token, self-signed call', 'selfSignedCall'],
    [GAPIC, 'service-account key, gRPC', 'signJwt, verified by certificate', 'signJwt'],
    [GAPIC, 'service-account key, gRPC', '40 calls at once', 'atOnce'],
  ];
  for (const [client, path, name, trial] of rows) yield {client, path, name, trial: () => ways[trial]()};
}

module.exports = {cases};
