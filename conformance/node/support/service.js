// The private service, called with an ID token by HTTP and by gRPC. It is the rig's echo: a gRPC call gets its message
// back.
'use strict';

const grpc = require('@grpc/grpc-js');
const axios = require('axios');
const {equal} = require('./verdict');

const SAID = Buffer.from('entry 17');

async function get(url, token) {
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  return axios.get(`${url}/entries`, {headers, validateStatus: () => true});
}

async function byHttp(url, token) {
  const answer = await get(url, token);
  equal(answer.status, 200, 'the status of the service');
  equal(answer.data.path, '/entries', 'the path that the service saw');
}

/** Calls a method of the service; gives the message that comes back, or throws gRPC's error. */
async function call(url, token) {
  const client = new grpc.Client(`${new URL(url).host}:443`, grpc.credentials.createSsl());
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const same = bytes => bytes;
  try {
    return await new Promise((done, failed) =>
      client.makeUnaryRequest('/shop.Ledger/Enter', same, same, SAID, metadata, (error, answer) =>
        error ? failed(error) : done(answer)
      )
    );
  } finally {
    client.close();
  }
}

async function byGrpc(url, token) {
  equal(String(await call(url, token)), String(SAID), 'what came back by gRPC');
}

module.exports = {get, call, byHttp, byGrpc};
