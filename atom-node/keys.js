'use strict';

/** Whether a value can keep a key: an object or an instance of a class with these functions. */
function isProvider(value) {
  return typeof value === 'object' && value !== null && typeof value.wrap === 'function' && typeof value.unwrap === 'function';
}

/**
 * What the native module calls instead of a key provider: it hands over two buffers and `settle`, which takes the buffer that came out, or
 * nothing and the name of what was thrown. The text stays here: it may hold a key.
 */
function callable(provider, name) {
  return async (input, context, settle) => {
    try {
      const output = await provider[name](input, context);
      if (!(output instanceof Uint8Array)) return settle(undefined, `${name} returned no Buffer`);
      settle(Buffer.from(output));
    } catch (error) {
      settle(undefined, thrown(error));
    } finally {
      input.fill(0);
    }
  };
}

function thrown(error) {
  try {
    const names = [error?.name, error?.constructor?.name].filter((name) => typeof name === 'string' && name !== '');
    return names.find((name) => name !== 'Error') ?? 'Error';
  } catch {
    return 'Error';
  }
}

/** A key provider as the native module wants it. */
function withKey(provider) {
  return { fingerprint: provider.fingerprint, wrap: callable(provider, 'wrap'), unwrap: callable(provider, 'unwrap') };
}

/** Whether an argument is a key provider, or a list of them. */
const isKeys = (value) => (Array.isArray(value) ? value.some(isProvider) : isProvider(value));

/** Such an argument as the native module wants it. */
const withKeys = (value) => (Array.isArray(value) ? value.map((item) => (isProvider(item) ? withKey(item) : item)) : withKey(value));

module.exports = { isKeys, withKeys };
