// The rig, seen as the project's owner sees Google, and by its control address.
'use strict';

const {setTimeout: sleep} = require('node:timers/promises');
const {GoogleAuth} = require('google-auth-library');
const {equal, need} = require('./verdict');

const REGION = 'us-central1';
const CLOUD = 'https://www.googleapis.com/auth/cloud-platform';

/** The owner of the project, which is what default credentials are. */
class Owner {
  static async find() {
    const owner = new Owner();
    owner.auth = new GoogleAuth({scopes: CLOUD});
    owner.project = await owner.auth.getProjectId();
    const project = await owner.get(`https://cloudresourcemanager.googleapis.com/v1/projects/${owner.project}`);
    owner.number = project.projectNumber;
    return owner;
  }

  async get(url) {
    return (await this.auth.request({url})).data;
  }

  async post(url, data) {
    return (await this.auth.request({url, method: 'POST', data})).data;
  }

  /** The URL of a Cloud Run service. */
  async service(name) {
    const path = `projects/${this.project}/locations/${REGION}/services/${name}`;
    return (await this.get(`https://run.googleapis.com/v2/${path}`)).uri;
  }

  email(account) {
    return `${account}@${this.project}.iam.gserviceaccount.com`;
  }
}

// How often it is looked for an attempt.
const LOOKS = 200;

/** The rig's control address: what it decided since the last look, and what it delivered. */
class Control {
  constructor() {
    this.url = process.env.TOKENRIG_URL.replace(/\/$/, '');
    this.seen = 0;
  }

  /** The decisions since the last look. Node's `fetch` knows no proxy, which is right here. */
  async fresh() {
    const answer = await fetch(`${this.url}/decisions?since=${this.seen}`);
    const {decisions} = await answer.json();
    this.seen = Math.max(this.seen, ...decisions.map(decision => decision.seq));
    return decisions;
  }

  /** What `work` does is refused at `surface`, and `check` is the reason. */
  async refuses(surface, check, work) {
    await this.fresh();
    const result = await work();
    const refused = (await this.fresh()).filter(failed).map(decision => `${decision.surface} ${failed(decision)}`);
    need(refused.includes(`${surface} ${check}`), `the rig refused for [${refused}], not for ${surface} ${check}`);
    return result;
  }

  /** What `work` does passes these surfaces, in this order, and nothing is refused. */
  async allows(surfaces, work) {
    await this.fresh();
    const result = await work();
    const made = await this.fresh();
    equal(made.filter(failed).map(decision => `${decision.surface} ${failed(decision)}`), [], 'what the rig refused');
    const passed = made.map(decision => decision.surface);
    let at = 0;
    for (const surface of surfaces) {
      at = passed.indexOf(surface, at) + 1;
      need(at > 0, `${surface} was not asked: ${passed}`);
    }
    return result;
  }

  /** The first attempt for a job or a task, once it has ended: the rig makes it as its clock runs. */
  async attempted(resource) {
    for (let look = 0; look < LOOKS; look++) {
      const {attempts} = await (await fetch(`${this.url}/attempts`)).json();
      const found = attempts.find(attempt => attempt.resource === resource && attempt.ended);
      if (found) return found;
      await sleep(100);
    }
    need(false, `${resource} was not attempted`);
  }
}

/** The check that gave the answer of a refusal. */
function failed(decision) {
  return decision.checks.find(check => !check.ok)?.name;
}

module.exports = {REGION, CLOUD, Owner, Control};
