// Runs Google's own packages for Node through federation, impersonation and Cloud Run, and through ways to be refused.
//
// Started inside `tokenrig exec`: from there on it knows only Google's host names, and the rig's control address to see
// why a request was refused. Each case is one line of JSON on stdout; the exit code is 1 when a case failed.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {Stage} = require('./support/stage');
const {Failed} = require('./support/verdict');

const THEMES = ['walk_through', 'federation', 'id_tokens', 'access_tokens', 'scheduler', 'tasks', 'refusals'];

function version(client) {
  // Not by `require`: most packages keep their package.json to themselves.
  const file = path.join(process.env.NODE_PATH, client, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

async function whyNot(trial) {
  try {
    await trial();
    return null;
  } catch (error) {
    // Whatever a library throws is a result of its case, and not the end of the suite.
    return error instanceof Failed ? error.message : String(error.stack ?? error);
  }
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tokenrig-node-'));
  let failures = 0;
  try {
    const stage = await Stage.set(folder);
    for (const theme of THEMES) {
      for (const {client, path, name, trial} of require(`./cases/${theme}`).cases(stage)) {
        const why = await whyNot(trial);
        failures += why === null ? 0 : 1;
        console.log(JSON.stringify({client, version: version(client), path, case: name, ok: why === null, why}));
      }
    }
  } finally {
    fs.rmSync(folder, {recursive: true});
  }
  // Clients keep connections open, which would keep the process.
  process.exit(failures ? 1 : 0);
}

main().catch(error => {
  console.error(error);
  process.exit(3);
});
