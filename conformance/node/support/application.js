// An application of its own that takes tokens of Google and verifies them: the one of `conformance/verifiers`.
'use strict';

const {spawn} = require('node:child_process');
const {once} = require('node:events');
const path = require('node:path');

const PROGRAM = path.join(__dirname, '../../verifiers/node/verifier.js');
// What its tokens are for.
const AUDIENCE = 'https://application.example.com';

/** Does `work` with its URL while it listens. It lets in ID tokens of `account` for `AUDIENCE`. */
async function application(account, work) {
  const verifier = spawn(process.execPath, [PROGRAM, AUDIENCE, account], {stdio: ['ignore', 'pipe', 'inherit']});
  try {
    const [line] = await once(verifier.stdout.setEncoding('utf8'), 'data');
    await work(`http://127.0.0.1:${Number(line)}/called`);
  } finally {
    verifier.kill();
  }
}

module.exports = {AUDIENCE, application};
