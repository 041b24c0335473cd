'use strict';

const { isAtomError, JobError, wrongArguments } = require('./errors.js');
const { extend, withHandlers } = require('./handlers.js');
const { isKeys, withKeys } = require('./keys.js');
const { isSender, withSender } = require('./mail.js');
const { load } = require('./native.js');

// Records nest less deep than this; only JSON goes deeper, and it has no dates.
const MAX_DEPTH = 8;

/** Refuses an invalid `Date`, which the native module would take for the first of January 1970. */
function refuseInvalidDates(value, depth = 0) {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('an argument holds an invalid Date');
  } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && depth < MAX_DEPTH) {
    for (const item of Object.values(value)) refuseInvalidDates(item, depth + 1);
  }
}

/** An argument as the native module wants it. */
function prepared(value) {
  if (isKeys(value)) return withKeys(value);
  return isSender(value) ? withSender(value) : withHandlers(value);
}

/** A method that returns a promise never throws: what the border refuses is a rejection like any other. */
function rejecting(owner, name, method) {
  function call(...args) {
    try {
      refuseInvalidDates(args);
      return method.apply(this, args.map(prepared));
    } catch (error) {
      return Promise.reject(isAtomError(error) ? error : wrongArguments(`${owner}.${name}`, error));
    }
  }
  return Object.defineProperty(call, 'name', { value: name });
}

function methods(owner, holder) {
  return Object.entries(Object.getOwnPropertyDescriptors(holder))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name, { value }]) => [name, rejecting(owner, name, value)]);
}

/** `for await` over a stream: every handle with a `next` is one. Leaving the loop does not end the stream. */
function iterator() {
  const next = async () => {
    const value = await this.next();
    return value === null ? { done: true, value: undefined } : { done: false, value };
  };
  const done = async (value) => ({ done: true, value });
  return { next, return: done, [Symbol.asyncIterator]() { return this; } };
}

/** The public side of a native class. It is another function, because native static methods cannot be replaced. */
function publish(Native) {
  const { name, prototype } = Native;
  function Public() {
    throw new TypeError(`${name} has no constructor: a static method or another object of atom-node gives you one`);
  }
  for (const [method, value] of methods(name, prototype)) prototype[method] = value;
  if (prototype.next) prototype[Symbol.asyncIterator] = iterator;
  const end = prototype.stop ?? prototype.shutDown;
  if (end && Symbol.asyncDispose) prototype[Symbol.asyncDispose] = end;
  for (const [method, value] of methods(name, Native)) Public[method] = value.bind(Native);
  prototype.constructor = Public;
  return Object.defineProperties(Public, { name: { value: name }, prototype: { value: prototype, writable: false } });
}

module.exports = { isAtomError, JobError };
const native = load(__dirname);
for (const [name, value] of Object.entries(native)) {
  module.exports[name] = typeof value === 'function' ? publish(value) : Object.freeze(value);
}
extend(native.RunningJob);
