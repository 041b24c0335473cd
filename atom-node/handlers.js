'use strict';

const { isAtomError, JobError } = require('./errors.js');

/**
 * What the native module calls instead of a handler or of an operation's hook: it hands over the job, or the connection and the input, and
 * `settle`, which takes the output as JSON text, or nothing and the failure.
 */
function callable(run) {
  return async (...args) => {
    const settle = args.pop();
    let output;
    try {
      output = await run(...args);
    } catch (error) {
      return settle(undefined, failure(error, args[0]));
    }
    try {
      settle(encode(output));
    } catch (error) {
      settle(undefined, { reason: 'malformed_output', text: text(error), retryable: false });
    }
  };
}

function encode(output) {
  const encoded = JSON.stringify(output === undefined ? null : output);
  if (encoded === undefined) throw new TypeError(`a ${typeof output} is not a JSON value`);
  return encoded;
}

/** What a thrown value says about the call. Only an error of Atom has a kind. */
function failure(error, job) {
  if (error instanceof JobError || isAtomError(error)) {
    const { reason, retryable, retryAfter } = error;
    const kind = isAtomError(error) ? { code: string(error.code), provider: string(error.provider), status: natural(error.status) } : {};
    return { reason: String(reason), text: text(error), retryable: Boolean(retryable), retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined, ...kind };
  }
  if (job.isCancelled && error?.name === 'AbortError') return { reason: 'cancelled', text: 'the handler was cancelled', retryable: true };
  return { reason: reason(error), text: text(error), retryable: true };
}

const string = (value) => (typeof value === 'string' ? value : undefined);
const natural = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : undefined);

/** The name of an error's class; many set it as `name`, some only by being one. */
function reason(error) {
  const names = [error?.name, error?.constructor?.name].filter((name) => typeof name === 'string' && name !== '');
  return names.find((name) => name !== 'Error') ?? 'Error';
}

function text(error) {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'the handler threw a value that cannot be read';
  }
}

/** An argument of a call, with each handler as the native module wants it, also inside a record. */
function withHandlers(value) {
  const isRecord = typeof value === 'object' && value !== null && Object.values(value).some((item) => typeof item === 'function');
  const one = (item) => (typeof item === 'function' ? callable(item) : item);
  return isRecord ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, one(item)])) : one(value);
}

/** Adds to jobs what takes or gives things of JavaScript. */
function extend(RunningJob) {
  Object.defineProperty(RunningJob.prototype, 'signal', { get: signal, configurable: true, enumerable: true });
  RunningJob.prototype.step = step;
}

const signals = new WeakMap();

/** Made when it is first asked for. */
function signal() {
  if (!signals.has(this)) {
    const controller = new AbortController();
    signals.set(this, controller.signal);
    // A job that is over is not cancelled, but nobody waits for it any more either.
    const abort = () => this.isCancelled && controller.abort();
    if (!abort()) this.cancelled().then(abort);
  }
  return signals.get(this);
}

async function step(name, effect, work) {
  const recorded = await this.beginStep(name, effect);
  if (recorded !== null) return recorded.output;
  const output = (await work()) ?? null;
  await this.finishStep(name, output);
  return output;
}

module.exports = { extend, withHandlers };
