// Cloud Scheduler by @google-cloud/scheduler, and an application that verifies what jobs bring along.
//
// Over gRPC alone: with `fallback` the client asks for the hosts itself and reads no proxy variable.
'use strict';

const {CloudSchedulerClient} = require('@google-cloud/scheduler');
const {AUDIENCE, application} = require('../support/application');
const {CLOUD, REGION} = require('../support/rig');
const {equal, raises} = require('../support/verdict');

// It does not come while a suite runs.
const YEARLY = '0 0 1 1 *';

class Scheduler {
  constructor(stage) {
    this.stage = stage;
    this.client = new CloudSchedulerClient();
    this.parent = `projects/${stage.owner.project}/locations/${REGION}`;
  }

  name(id) {
    return `${this.parent}/jobs/node-${id}`;
  }

  job(id, uri, audience, more = {}) {
    const httpTarget = {uri, httpMethod: 'POST', body: Buffer.from('{"order": 17}').toString('base64')};
    if (audience) httpTarget.oidcToken = {serviceAccountEmail: this.stage.deployer, audience};
    return {name: this.name(id), schedule: YEARLY, httpTarget, ...more};
  }

  async create(job) {
    const [made] = await this.client.createJob({parent: this.parent, job});
    return made;
  }

  /** The attempt of a job that somebody runs, once it has ended. */
  async attempt(job) {
    const {name} = await this.create(job);
    await this.client.runJob({name});
    return this.stage.control.attempted(name);
  }

  async created() {
    const job = this.job('tick', this.stage.ledger, undefined, {timeZone: 'Europe/Berlin'});
    const made = await this.create(job);
    equal([made.state, made.retryConfig.maxDoublings], ['ENABLED', 5], 'the state and the doublings');
    // In Berlin the year begins before that of UTC.
    equal(new Date(Number(made.scheduleTime.seconds) * 1000).getUTCMonth(), 11, 'the month of the first start');
    const [listed] = await this.client.listJobs({parent: this.parent});
    equal(listed.filter(({name}) => name === made.name).length, 1, 'how often it is listed');
    await raises(() => this.create(job), 'already exists');
  }

  async updated() {
    const job = {name: this.name('tick'), schedule: 'every 24 hours', timeZone: 'UTC', description: 'not in the mask'};
    const [made] = await this.client.updateJob({job, updateMask: {paths: ['schedule', 'time_zone']}});
    equal([made.schedule, made.timeZone, made.description], ['every 24 hours', 'UTC', ''], 'what has changed');
    equal(made.httpTarget.uri, this.stage.ledger, 'what has not');
  }

  async paused() {
    const name = this.name('tick');
    const [paused] = await this.client.pauseJob({name});
    equal(paused.state, 'PAUSED', 'the state');
    await raises(() => this.client.pauseJob({name}), 'FAILED_PRECONDITION');
    const [resumed] = await this.client.resumeJob({name});
    equal(resumed.state, 'ENABLED', 'the state');
    await raises(() => this.client.resumeJob({name}), 'FAILED_PRECONDITION');
  }

  async delivered() {
    const {ledger, deployer} = this.stage;
    const attempt = await this.attempt(this.job('good', `${ledger}/17`, ledger));
    equal([attempt.status, attempt.token.claims.email], [200, deployer], 'the answer and whose token went along');
    equal(attempt.headers['X-CloudScheduler-JobName'], 'node-good', 'what tells of the job');
    const [found] = await this.client.getJob({name: this.name('good')});
    equal(found.status.code, 0, 'the status of the last attempt');
  }

  async refused() {
    const attempt = await this.attempt(this.job('wrong', this.stage.ledger, 'https://other.example.com'));
    equal(attempt.status, 401, 'the answer');
    const [found] = await this.client.getJob({name: this.name('wrong')});
    equal(found.status.code, 16, 'the status of the last attempt');
  }

  async asksGoogle() {
    const uri = `https://cloudresourcemanager.googleapis.com/v1/projects/${this.stage.owner.project}`;
    const oauthToken = {serviceAccountEmail: this.stage.deployer};
    const attempt = await this.attempt({...this.job('google', uri), httpTarget: {uri, httpMethod: 'GET', oauthToken}});
    equal([attempt.status, attempt.token.claims.scope], [200, CLOUD], 'the answer and the scope');
  }

  async malformed() {
    const refused = (words, changes) =>
      raises(() => this.create({...this.job('malformed', this.stage.ledger), ...changes}), words);
    await refused('Schedule or time zone is invalid.', {schedule: '* * * * * *'});
    await refused('Schedule or time zone is invalid.', {timeZone: 'Mars/Olympus'});
    await refused('retry_count must be a positive integer', {retryConfig: {retryCount: 6}});
    await refused('attemptDeadline', {attemptDeadline: {seconds: 1}});
  }

  async denied() {
    const stranger = new CloudSchedulerClient({keyFilename: await this.stage.newKey(this.stage.stranger)});
    const job = this.job('denied', this.stage.ledger);
    await raises(() => stranger.createJob({parent: this.parent, job}), 'PERMISSION_DENIED', 'cloudscheduler.jobs.create');
  }

  async verified() {
    await application(this.stage.deployer, async url => {
      const tried = [['own', AUDIENCE, 204], ['others', url, 401], ['none', undefined, 401]];
      for (const [id, audience, status] of tried) {
        const attempt = await this.attempt(this.job(`verified-${id}`, url, audience));
        equal(attempt.status, status, `the answer to a token for ${audience}`);
      }
    });
  }

  async deleted() {
    const [jobs] = await this.client.listJobs({parent: this.parent});
    for (const {name} of jobs) await this.client.deleteJob({name});
    await raises(() => this.client.getJob({name: this.name('tick')}), 'Job not found.');
  }
}

function cases(stage) {
  const scheduler = new Scheduler(stage);
  const of = (name, trial) => ({
    client: '@google-cloud/scheduler',
    path: 'Cloud Scheduler, gRPC',
    name,
    trial: () => trial.call(scheduler),
  });
  return [
    of('a job is made and listed', scheduler.created),
    of('a job is changed where the mask says', scheduler.updated),
    of('a job is paused and resumed, once each', scheduler.paused),
    of('a job opens a private service', scheduler.delivered),
    of('a job with a token for another audience is refused', scheduler.refused),
    of('a job with an access token asks an API of Google', scheduler.asksGoogle),
    of("a malformed job is refused in Google's words", scheduler.malformed),
    of('a stranger is refused', scheduler.denied),
    // By name the suite runs in a network of its own: the rig reaches nothing that listens there.
    ...(process.env.HTTPS_PROXY
      ? [of('an application that calls verifyIdToken lets in its own tokens only', scheduler.verified)]
      : []),
    of('jobs are deleted', scheduler.deleted),
  ];
}

module.exports = {cases};
