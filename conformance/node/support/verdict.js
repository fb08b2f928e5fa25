// What a case says when it does not go as it should.
'use strict';

const {isDeepStrictEqual} = require('node:util');

/** A case did not go as it should. */
class Failed extends Error {}

function need(holds, what) {
  if (!holds) throw new Failed(what);
}

function equal(found, wanted, what) {
  need(isDeepStrictEqual(found, wanted), `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

function holds(text, words, where) {
  need(text.includes(words), `\`${words}\` is not in ${where}: ${text}`);
}

/** The client must give up, with an error that holds all `words`. Gives the error. */
async function raises(trial, ...words) {
  let error;
  try {
    await trial();
  } catch (raised) {
    error = raised;
  }
  need(error !== undefined, 'nothing was raised');
  for (const part of words) holds(String(error.message), part, 'what the client says');
  return error;
}

module.exports = {Failed, need, equal, holds, raises};
