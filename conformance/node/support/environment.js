// The environment of a client that is called in this process.
'use strict';

const CREDENTIALS = 'GOOGLE_APPLICATION_CREDENTIALS';
const PROJECT = 'GOOGLE_CLOUD_PROJECT';
const EXECUTABLES = 'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES';

function put(variables) {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = String(value);
  }
}

/** Runs `work` with other variables; `undefined` takes one away. */
async function environment(changes, work) {
  const before = Object.fromEntries(Object.keys(changes).map(name => [name, process.env[name]]));
  put(changes);
  try {
    return await work();
  } finally {
    put(before);
  }
}

module.exports = {CREDENTIALS, PROJECT, EXECUTABLES, environment};
