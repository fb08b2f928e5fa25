// An application of its own that takes tokens of Google: it verifies them with google-auth-library's own function.
//
//     node verifier.js AUDIENCE ACCOUNT
//
// Listens on a free port of this machine and prints it. 204 for an ID token of Google for AUDIENCE whose e-mail address is
// ACCOUNT, else 401 with the reason.

'use strict';

const http = require('node:http');
const { OAuth2Client } = require('google-auth-library');

const [audience, account] = process.argv.slice(2);
const client = new OAuth2Client();

async function whyNot(header) {
  const [scheme, idToken] = (header ?? '').split(' ');
  if (scheme.toLowerCase() !== 'bearer' || !idToken) {
    return 'no bearer token';
  }
  try {
    const ticket = await client.verifyIdToken({ idToken, audience });
    const { email, email_verified: verified } = ticket.getPayload();
    return email === account && verified === true ? undefined : `the token is one of ${email}`;
  } catch (error) {
    return error.message;
  }
}

const server = http.createServer(async (request, response) => {
  request.resume();
  const why = await whyNot(request.headers.authorization);
  response.writeHead(why ? 401 : 204).end(why);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
