// What all cases stand on: the owner, the rig's control address, a workload, and a folder for files.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {JWT} = require('google-auth-library');
const {Control, Owner} = require('./rig');
const {TokenServer, textFile} = require('./sources');
const {equal} = require('./verdict');
const {Provider} = require('./workload');

class Stage {
  static async set(folder) {
    const stage = new Stage();
    stage.folder = folder;
    stage.files = 0;
    stage.owner = await Owner.find();
    stage.control = new Control();
    stage.provider = await Provider.read(stage.owner, 'build', 'trusted');
    stage.closed = await Provider.read(stage.owner, 'build', 'closed');
    stage.server = await TokenServer.start();
    stage.ledger = await stage.owner.service('ledger');
    stage.deployer = stage.owner.email('deployer');
    stage.stranger = stage.owner.email('stranger');
    stage.key = await stage.newKey(stage.deployer);
    return stage;
  }

  /** A path of its own for a file of this name. */
  path(name) {
    const folder = path.join(this.folder, String(this.files++));
    fs.mkdirSync(folder);
    return path.join(folder, name);
  }

  /** The file of a new key of `account`, as the IAM API gives it. */
  async newKey(account) {
    const url = `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${account}/keys`;
    const {privateKeyData} = await this.owner.post(url, {});
    const file = this.path('key.json');
    fs.writeFileSync(file, Buffer.from(privateKeyData, 'base64'));
    return file;
  }

  /** The credential file of a build, whose subject token stands in a file and differs by `claims`. */
  async build({provider = this.provider, impersonate, ...claims} = {}) {
    const source = textFile(this.path('token.txt'), await provider.token(claims));
    return provider.file(this.path('credentials.json'), source, impersonate);
  }

  readKey(file = this.key) {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  }

  /** A client with a key. The library's `JWT` reads a key file too late for its first assertion, so it gets the parts. */
  client(scopes, key = this.readKey()) {
    return new JWT({email: key.client_email, key: key.private_key, keyId: key.private_key_id, scopes});
  }
}

/** The claims of a token, unverified. */
function open(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

/** An ID token must be the deployer's, with e-mail, for `audience`. */
function ofDeployer(stage, token, audience) {
  const {iss, email, email_verified, aud} = open(token);
  const wanted = {iss: 'https://accounts.google.com', email: stage.deployer, email_verified: true, aud: audience};
  equal({iss, email, email_verified, aud}, wanted, 'what the ID token says');
}

module.exports = {Stage, open, ofDeployer};
