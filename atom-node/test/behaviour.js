'use strict';

// Plays the scenarios of atom-core/testdata/behaviour: its README says what they mean.

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const atom = require('..');

const SUITE = join(__dirname, '..', '..', 'atom-core', 'testdata', 'behaviour');
const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64');
const PATH = /^\$\w+(\.\w+)*$/;

/** Every scenario of the suite, with the name of its file. */
function scenarios() {
  const files = readdirSync(SUITE).filter((file) => file.endsWith('.json')).sort();
  return files.flatMap((file) => JSON.parse(readFileSync(join(SUITE, file), 'utf8')).map((scenario) => ({ file, ...scenario })));
}

const camel = (snake) => snake.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** A field by its name in the suite: as it is in JSON, in camel case on objects of ours. */
const field = (value, name) => (name in value ? value[name] : value[camel(name)]);

/** The names that the steps of one scenario know. The objects it may use are made when it first mentions them. */
class Stage {
  constructor({ needs = [] }, databaseUrl) {
    this.needs = needs;
    this.databaseUrl = databaseUrl;
    this.unique = randomUUID().slice(0, 8);
    this.names = new Map();
  }

  async play(steps) {
    for (const [index, step] of steps.entries()) {
      try {
        await this.step(step);
      } catch (cause) {
        throw new Error(`step ${index + 1}, ${step.call ?? step.get}: ${cause.message}`, { cause });
      }
    }
  }

  async step(step) {
    const result = await (step.get ? this.read(step.get) : this.call(step));
    if (step.fails) return;
    if (step.save) this.names.set(step.save, result);
    if ('expect' in step) match(result, await this.value(step.expect), 'result');
  }

  async call({ call, args = [], fails }) {
    const dot = call.lastIndexOf('.');
    const target = await this.read(call.slice(0, dot));
    const method = camel(call.slice(dot + 1));
    assert.equal(typeof target[method], 'function', `there is no method ${method}`);
    const values = [];
    for (const arg of args) values.push(await this.value(arg));
    if (!fails) return target[method](...values);
    const error = await target[method](...values).then((result) => assert.fail(`expected an error, got ${JSON.stringify(result)}`), (e) => e);
    if (!atom.isAtomError(error)) throw error;
    match(error, fails, 'error');
  }

  async root(name) {
    if (!this.names.has(name)) this.names.set(name, await this.make(name));
    return this.names.get(name);
  }

  async make(name) {
    if (name === 'probe') return atom.Probe.start();
    if (name === 'google') return atom.GoogleStandIn.start();
    assert.equal(name, 'atom', `no earlier step saved ${name}`);
    const greet = { name: 'greet', queue: 'behaviour', priority: 2, maxAttempts: 3 };
    const passkeys = { passkeyRpId: 'acme.example', passkeyOrigins: ['https://acme.example'] };
    const options = { databaseUrl: this.databaseUrl, key: KEY, jobKinds: [greet], ...passkeys };
    if (this.needs.includes('google')) {
      const google = await this.root('google');
      Object.assign(options, { providers: [google.app], signInProviders: [google.signInProvider] });
    }
    return atom.Atom.open(options);
  }

  async read(path) {
    const [root, ...parts] = path.split('.');
    return parts.reduce(field, await this.root(root));
  }

  /** The JavaScript value for a value as the suite writes it. */
  async value(written) {
    if (typeof written === 'string') {
      if (PATH.test(written) && written !== '$unique') return this.read(written.slice(1));
      return written.replaceAll('$unique', this.unique);
    }
    if (Array.isArray(written)) return Promise.all(written.map((item) => this.value(item)));
    if (written === null || typeof written !== 'object') return written;
    if ('$json' in written) return written.$json;
    if ('$date' in written) return new Date(written.$date);
    if ('$bytes' in written) return Buffer.from(written.$bytes, 'base64');
    const { $type: type, $variant: variant, ...rest } = written;
    if (variant && Object.values(atom[type] ?? {}).includes(variant)) return variant;
    const fields = variant ? { type: variant } : {};
    for (const [name, item] of Object.entries(rest)) fields[type ? camel(name) : name] = await this.value(item);
    return fields;
  }
}

/** Dates and bytes as the suite writes them; everything else as it is. */
function plain(value) {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return value ?? null;
}

/** Fails unless `actual` is as expected; an expected object may name fewer fields than there are. */
function match(actual, expected, where) {
  [actual, expected] = [plain(actual), plain(expected)];
  if (expected === null || typeof expected !== 'object') {
    assert.deepEqual(actual, expected, `${where} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  } else if (expected.$any) {
    assert.notEqual(actual, null, `${where} is null`);
  } else if (Array.isArray(expected)) {
    const same = Array.isArray(actual) && actual.length === expected.length;
    assert.ok(same, `${where} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
    expected.forEach((item, index) => match(actual[index], item, `${where}[${index}]`));
  } else {
    assert.ok(actual !== null && typeof actual === 'object', `${where} is ${JSON.stringify(actual)}, not an object`);
    for (const [name, item] of Object.entries(expected)) match(field(actual, name), item, `${where}.${name}`);
  }
}

module.exports = { Stage, scenarios };
