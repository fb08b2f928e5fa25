// Where a credential file may get its subject token from.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const PRINT_TOKEN = path.resolve(__dirname, '../../print-token.sh');
const JSON_FORMAT = {type: 'json', subject_token_field_name: 'oidc_token'};

/**
 * An address on loopback that gives the subject token to whoever knows the secret header: `/text` the bare token, `/json`
 * an object that holds it.
 */
class TokenServer {
  static HEADERS = {'x-build-secret': 'let me in'};

  static async start() {
    const server = new TokenServer();
    server.token = '';
    const listener = http.createServer((request, response) => {
      const bodies = {
        '/text': ['text/plain', server.token],
        '/json': ['application/json', JSON.stringify({build: '7', oidc_token: server.token})],
      };
      const known = request.headers['x-build-secret'] === TokenServer.HEADERS['x-build-secret'];
      const [type, body] = bodies[request.url];
      response.writeHead(known ? 200 : 403, {'content-type': type});
      response.end(known ? body : undefined);
    });
    await new Promise(ready => listener.listen(0, '127.0.0.1', ready));
    server.url = `http://127.0.0.1:${listener.address().port}`;
    return server;
  }

  source(form, headers = TokenServer.HEADERS) {
    const source = {url: `${this.url}/${form}`, headers};
    return form === 'text' ? source : {...source, format: JSON_FORMAT};
  }
}

function textFile(file, token) {
  // With the line break that most tools leave behind; the library sends it too.
  fs.writeFileSync(file, `${token}\n`);
  return {file};
}

function jsonFile(file, token) {
  fs.writeFileSync(file, JSON.stringify({build: '7', oidc_token: token}));
  return {file, format: JSON_FORMAT};
}

/** A command that gives the token, but only for `audience`. */
function executable(file, token, audience, options = {}) {
  fs.writeFileSync(file, token);
  return {executable: {command: `${PRINT_TOKEN} ${file} ${audience}`, timeout_millis: 5000, ...options}};
}

module.exports = {TokenServer, textFile, jsonFile, executable};
