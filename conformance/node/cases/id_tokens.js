// ID tokens by each way that google-auth-library has, and what its own verifier makes of them.
'use strict';

const fs = require('node:fs');
const {GoogleAuth, Impersonated, OAuth2Client} = require('google-auth-library');
const {CREDENTIALS, environment} = require('../support/environment');
const {CLOUD} = require('../support/rig');
const {ofDeployer, open} = require('../support/stage');
const {equal, raises} = require('../support/verdict');

class IdTokens {
  constructor(stage) {
    this.stage = stage;
  }

  /** The service answers a client of `getIdTokenClient`, which asks at the surfaces `before` it. */
  async calls(auth, ...before) {
    const {stage} = this;
    await stage.control.allows([...before, 'cloud-run-front'], async () => {
      const client = await auth.getIdTokenClient(stage.ledger);
      const answer = await client.request({url: `${stage.ledger}/entries`});
      equal(answer.data.path, '/entries', 'the path that the service saw');
    });
  }

  async key() {
    await this.calls(new GoogleAuth({keyFile: this.stage.key}), 'oauth2-token');
  }

  async defaultKey() {
    await environment({[CREDENTIALS]: this.stage.key}, () => this.calls(new GoogleAuth(), 'oauth2-token'));
  }

  async machine() {
    await environment({[CREDENTIALS]: undefined}, () => this.calls(new GoogleAuth(), 'metadata'));
  }

  target(sourceClient) {
    return new Impersonated({sourceClient, targetPrincipal: this.stage.deployer, targetScopes: [CLOUD]});
  }

  async impersonated(keyFile, surface) {
    const source = await new GoogleAuth({keyFile, scopes: CLOUD}).getClient();
    const {ledger} = this.stage;
    const token = await this.stage.control.allows([surface, 'iamcredentials'], () =>
      this.target(source).fetchIdToken(ledger, {includeEmail: true})
    );
    ofDeployer(this.stage, token, ledger);
  }

  async impersonatedByKey() {
    await this.impersonated(this.stage.key, 'oauth2-token');
  }

  async impersonatedByWorkload() {
    await this.impersonated(await this.stage.build(), 'sts');
  }

  /** A file of type `impersonated_service_account`, as gcloud writes it for application-default login. */
  async impersonatedFile() {
    const account = `projects/-/serviceAccounts/${this.stage.deployer}`;
    const file = this.stage.path('impersonated.json');
    const config = {
      type: 'impersonated_service_account',
      service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/${account}:generateAccessToken`,
      source_credentials: this.stage.readKey(),
      delegates: [],
    };
    fs.writeFileSync(file, JSON.stringify(config));
    await this.calls(new GoogleAuth({keyFile: file, scopes: CLOUD}), 'iamcredentials');
  }

  // What Google's verifier says.

  async token(audience) {
    return this.stage.client().fetchIdToken(audience);
  }

  async verified() {
    const ticket = await new OAuth2Client().verifyIdToken({idToken: await this.token('client-7'), audience: 'client-7'});
    equal(ticket.getPayload().email, this.stage.deployer, 'the e-mail that was verified');
  }

  async otherAudience() {
    const idToken = await this.token('client-7');
    await raises(() => new OAuth2Client().verifyIdToken({idToken, audience: 'client-8'}), 'Wrong recipient');
  }

  async changed() {
    const [header, payload, signature] = (await this.token('client-7')).split('.');
    const idToken = [header, payload, signature.slice(4) + signature.slice(0, 4)].join('.');
    await raises(() => new OAuth2Client().verifyIdToken({idToken, audience: 'client-7'}), 'Invalid token signature');
  }

  /** A workload's own token is not Google's, whatever it claims. */
  async ofOtherIssuer() {
    const idToken = await this.stage.provider.token({iss: 'https://accounts.google.com', aud: 'client-7'});
    await raises(() => new OAuth2Client().verifyIdToken({idToken, audience: 'client-7'}), 'No pem found for envelope');
  }

  async ofMetadata() {
    const token = await environment({[CREDENTIALS]: undefined}, async () => {
      const client = await new GoogleAuth().getIdTokenClient('client-7');
      return client.idTokenProvider.fetchIdToken('client-7');
    });
    equal(open(token).aud, 'client-7', 'the audience');
    await new OAuth2Client().verifyIdToken({idToken: token, audience: 'client-7'});
  }
}

function* cases(stage) {
  const ways = new IdTokens(stage);
  const themes = {
    getIdTokenClient: {
      'service-account key': 'key',
      'default credentials, key': 'defaultKey',
      'metadata server': 'machine',
      'impersonated_service_account file': 'impersonatedFile',
    },
    'Impersonated.fetchIdToken': {
      'impersonated from a key': 'impersonatedByKey',
      'impersonated from a workload': 'impersonatedByWorkload',
    },
    verifyIdToken: {
      'ID token of a key': 'verified',
      'ID token of the metadata server': 'ofMetadata',
      'other audience': 'otherAudience',
      'changed signature': 'changed',
      "not Google's": 'ofOtherIssuer',
    },
  };
  for (const [path, rows] of Object.entries(themes)) {
    for (const [name, trial] of Object.entries(rows)) {
      yield {client: 'google-auth-library', path, name, trial: () => ways[trial]()};
    }
  }
}

module.exports = {cases};
