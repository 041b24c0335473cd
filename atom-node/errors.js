'use strict';

const { isNativeError } = require('node:util').types;

/** True for every error of Atom, and tells TypeScript so. */
function isAtomError(value) {
  return isNativeError(value) && value.name === 'AtomError';
}

/** The error for arguments that could not be passed on, with the same fields as an error of the core. */
function wrongArguments(method, cause) {
  const error = new Error(`${method}: ${cause.message}`, { cause });
  return Object.assign(error, { name: 'AtomError', code: 'invalid', reason: 'wrong_arguments', retryable: false });
}

module.exports = { isAtomError, wrongArguments };
