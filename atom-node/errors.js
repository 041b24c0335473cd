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

/** What a job handler throws to say exactly how the attempt failed. */
class JobError extends Error {
  constructor(reason, text, { retryable = true, retryAfter } = {}) {
    super(text);
    Object.assign(this, { reason, retryable, retryAfter });
  }
}
Object.defineProperty(JobError.prototype, 'name', { value: 'JobError', configurable: true, writable: true });

module.exports = { isAtomError, JobError, wrongArguments };
