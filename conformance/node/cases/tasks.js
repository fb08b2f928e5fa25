// Cloud Tasks by @google-cloud/tasks, and an application that verifies what tasks bring along.
//
// Over gRPC alone: with `fallback` the client asks for the hosts itself and reads no proxy variable.
'use strict';

const {CloudTasksClient} = require('@google-cloud/tasks');
const {AUDIENCE, application} = require('../support/application');
const {REGION} = require('../support/rig');
const {equal, raises} = require('../support/verdict');

class Tasks {
  constructor(stage) {
    this.stage = stage;
    this.client = new CloudTasksClient();
    this.parent = `projects/${stage.owner.project}/locations/${REGION}`;
    this.queue = `${this.parent}/queues/node`;
  }

  task(url, audience, more = {}) {
    const httpRequest = {url, httpMethod: 'POST', body: Buffer.from('{"order": 17}').toString('base64')};
    httpRequest.headers = {'Content-Type': 'application/json'};
    if (audience) httpRequest.oidcToken = {serviceAccountEmail: this.stage.deployer, audience};
    return {httpRequest, ...more};
  }

  async create(task) {
    const [made] = await this.client.createTask({parent: this.queue, task});
    return made.name;
  }

  async created() {
    // Long enough to look at a task between two attempts.
    const retryConfig = {minBackoff: {seconds: 60}};
    const [made] = await this.client.createQueue({parent: this.parent, queue: {name: this.queue, retryConfig}});
    equal(made.rateLimits.maxConcurrentDispatches, 1000, 'how many are dispatched at once');
    const again = () => this.client.createQueue({parent: this.parent, queue: {name: this.queue}});
    await raises(again, 'Queue already exists');
  }

  async delivered() {
    const {ledger, deployer} = this.stage;
    const attempt = await this.stage.control.attempted(await this.create(this.task(`${ledger}/17`, ledger)));
    equal([attempt.status, attempt.token.claims.email], [200, deployer], 'the answer and whose token went along');
  }

  async refused() {
    const name = await this.create(this.task(this.stage.ledger, 'https://other.example.com'));
    equal((await this.stage.control.attempted(name)).status, 401, 'the answer');
    const [found] = await this.client.getTask({name});
    equal(found.lastAttempt.responseStatus.code, 16, 'the status of the attempt');
    await this.client.deleteTask({name});
    await raises(() => this.client.getTask({name}), 'The task no longer exists');
  }

  async malformed() {
    await raises(() => this.create(this.task('ftp://example.com')), "must start with 'http://' or 'https://'");
    const short = this.task(this.stage.ledger, undefined, {dispatchDeadline: {seconds: 1}});
    await raises(() => this.create(short), 'Task.dispatchDeadline must be between [15s, 30m].');
  }

  async verified() {
    const {control, deployer} = this.stage;
    await application(deployer, async url => {
      const own = await this.create(this.task(url, AUDIENCE));
      equal((await control.attempted(own)).status, 204, 'the answer to its own');
      for (const wrong of ['https://other.example.com', undefined]) {
        const name = await this.create(this.task(url, wrong));
        equal((await control.attempted(name)).status, 401, `the answer to ${wrong ?? 'no token'}`);
        await this.client.deleteTask({name});
      }
    });
  }

  async deleted() {
    await this.client.deleteQueue({name: this.queue});
    await raises(() => this.client.getQueue({name: this.queue}), 'Queue does not exist.');
  }
}

function cases(stage) {
  const tasks = new Tasks(stage);
  const of = (name, trial) => ({
    client: '@google-cloud/tasks',
    path: 'Cloud Tasks, gRPC',
    name,
    trial: () => trial.call(tasks),
  });
  return [
    of('a queue is made', tasks.created),
    of('a task opens a private service', tasks.delivered),
    of('a task with a token for another audience is refused', tasks.refused),
    of("a malformed task is refused in Google's words", tasks.malformed),
    // By name the suite runs in a network of its own: the rig reaches nothing that listens there.
    ...(process.env.HTTPS_PROXY
      ? [of('an application that calls verifyIdToken lets in its own tokens only', tasks.verified)]
      : []),
    of('a queue is deleted', tasks.deleted),
  ];
}

module.exports = {cases};
