// A build that is known to its own OpenID provider, and the credential files that tell Google's libraries of it.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const {gaxios} = require('google-auth-library');

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** A provider of a workload identity pool. */
class Provider {
  constructor(name, issuer) {
    Object.assign(this, {name, issuer});
  }

  static async read(owner, pool, provider) {
    const name = `projects/${owner.number}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`;
    const resource = await owner.get(`https://iam.googleapis.com/v1/${name}`);
    return new Provider(name, resource.oidc.issuerUri);
  }

  /** What a subject token must be for, unless the provider says otherwise. */
  get audience() {
    return `https://iam.googleapis.com/${this.name}`;
  }

  claims(changes = {}) {
    const now = Math.floor(Date.now() / 1000);
    const claims = {iss: this.issuer, aud: this.audience, sub: 'release', branch: 'main'};
    return {...claims, iat: now, exp: now + 3600, ...changes};
  }

  /** A subject token, signed by the provider's own issuer. */
  async token(changes) {
    const answer = await gaxios.request({
      url: `${this.issuer}/token`,
      method: 'POST',
      data: this.claims(changes),
      responseType: 'text',
    });
    return answer.data;
  }

  /** The same token, with its key id, signed with a key that the issuer does not have. */
  forged(token) {
    const {privateKey} = crypto.generateKeyPairSync('rsa', {modulusLength: 2048});
    const signed = token.split('.').slice(0, 2).join('.');
    return `${signed}.${crypto.sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  }

  /** What `gcloud iam workload-identity-pools create-cred-config` writes. */
  file(path, source, impersonate, more = {}) {
    const account = `projects/-/serviceAccounts/${impersonate}`;
    const end = impersonate
      ? {service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/${account}:generateAccessToken`}
      : {token_info_url: 'https://sts.googleapis.com/v1/introspect'};
    const config = {
      universe_domain: 'googleapis.com',
      type: 'external_account',
      audience: `//iam.googleapis.com/${this.name}`,
      subject_token_type: JWT,
      token_url: 'https://sts.googleapis.com/v1/token',
      credential_source: source,
      ...end,
      ...more,
    };
    fs.writeFileSync(path, JSON.stringify(config));
    return path;
  }
}

module.exports = {JWT, Provider};
