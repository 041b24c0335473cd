'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createCipheriv, createDecipheriv, randomBytes } = require('node:crypto');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { after, before, beforeEach, describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { Atom, isAtomError } = require('..');

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64');
const CANARY = 'canary-of-a-key';
const ada = { email: 'ada@example.com', password: 'an engine of brass and thought' };

/** A key service in this process. */
class Service {
  fingerprint = 'service:1';
  #key = randomBytes(32);
  calls = [];

  async wrap(dataKey, context) {
    this.calls.push('wrap');
    await sleep(5);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(context);
    return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  }

  unwrap(wrapped, context) {
    this.calls.push('unwrap');
    const cipher = createDecipheriv('aes-256-gcm', this.#key, wrapped.subarray(0, 12)).setAAD(context).setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([cipher.update(wrapped.subarray(12, -16)), cipher.final()]);
  }
}

describe('a key of the host', () => {
  let folder;
  let files = 0;
  let options;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'atom-keys-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => (options = { databaseUrl: `sqlite:${join(folder, `${files++}.db`)}` }));

  test('keeps an installation', async () => {
    const service = new Service();
    let atom = await Atom.openWithKeys(options, service);
    await atom.accounts.signUp(ada);
    const status = await atom.keys.status();
    assert.deepEqual([status.current, status.wrappingKeys[0].dataKeys], ['service:1', 2]);
    await atom.shutDown();
    atom = await Atom.openWithKeys(options, service);
    const { session } = await atom.accounts.signIn(ada);
    await atom.accounts.refresh(session.refreshToken);
    await atom.shutDown();
    assert.equal(service.calls.filter((name) => name === 'wrap').length, 2);
    assert.ok(service.calls.filter((name) => name === 'unwrap').length >= 4, 'what is wrapped is tried');
  });

  test('takes over from a local key, and gives back', async () => {
    const service = new Service();
    let atom = await Atom.open({ ...options, key: KEY });
    const { current: local } = await atom.keys.status();
    await atom.accounts.signUp(ada);
    await atom.shutDown();

    atom = await Atom.openWithKeys({ ...options, acceptedKeys: [KEY] }, service);
    assert.deepEqual(await atom.keys.rotate(), { current: 'service:1', rewrapped: 2, remaining: 0, retired: [local] });
    await atom.shutDown();
    await assert.rejects(Atom.open({ ...options, key: KEY }), (error) => error.reason === 'wrong_key' && error.message.includes('service:1'));

    atom = await Atom.openWithKeys({ ...options, key: KEY }, null, [service]);
    assert.deepEqual((await atom.keys.rotate()).retired, ['service:1']);
    await atom.shutDown();
    atom = await Atom.open({ ...options, key: KEY });
    await atom.accounts.signIn(ada);
    await atom.shutDown();
  });

  class Boiled extends Error {}
  const throws = () => {
    throw new Boiled(CANARY);
  };
  const broken = {
    throws: [{ wrap: throws }, 'key_provider_failed', /Boiled/],
    rejects: [{ wrap: async () => throws() }, 'key_provider_failed', /Boiled/],
    'throws no error': [{ wrap: () => Promise.reject(CANARY) }, 'key_provider_failed', /String/],
    'gives a text': [{ wrap: () => CANARY }, 'key_provider_failed', /no Buffer/],
    'gives nothing': [{ unwrap: () => undefined }, 'key_provider_failed', /no Buffer/],
    'gives another key': [{ unwrap: () => new Uint8Array(32) }, 'key_provider_failed', /give back/],
    'gives half a key': [{ unwrap: () => Buffer.alloc(16) }, 'data_key_malformed', /length/],
  };
  for (const [name, [functions, reason, text]] of Object.entries(broken)) {
    test(`that ${name} is an error without its text`, async () => {
      const refusal = (error) => {
        assert.ok(isAtomError(error) && error.code === 'sealed');
        assert.equal(error.reason, reason);
        assert.match(error.message, text);
        assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(CANARY));
        return true;
      };
      await assert.rejects(Atom.openWithKeys(options, Object.assign(new Service(), functions)), refusal);
      await (await Atom.openWithKeys(options, new Service())).shutDown();
    });
  }

  test('has a fingerprint and two functions', async () => {
    const wrong = [{ ...new Service(), fingerprint: undefined, wrap() {}, unwrap() {} }, { fingerprint: 'half', wrap() {} }, 'service', 5];
    for (const provider of wrong) {
      await assert.rejects(Atom.openWithKeys(options, provider), (error) => isAtomError(error) && error.reason === 'wrong_arguments');
    }
    const spaced = Object.assign(new Service(), { fingerprint: 'two words' });
    await assert.rejects(Atom.openWithKeys(options, spaced), (error) => error.reason === 'malformed_fingerprint');
  });

  test('does not keep the process alive', () => {
    const program = `
      const { Atom } = require(${JSON.stringify(join(__dirname, '..'))});
      const same = (bytes) => Buffer.from(bytes);
      const provider = { fingerprint: 'plain', wrap: same, unwrap: same };
      Atom.openWithKeys({ databaseUrl: ${JSON.stringify(options.databaseUrl)} }, provider).then((atom) => (globalThis.kept = atom)).then(() => console.log('open'));
    `;
    assert.equal(execFileSync(process.execPath, ['-e', program], { timeout: 20_000, encoding: 'utf8' }), 'open\n');
  });
});

test('a key of a module or a keychain that is not there is refused', async () => {
  const nowhere = { module: '/nowhere/module.so', token: 'atom', pin: CANARY, key: 'main' };
  const refusal = (reason) => (error) => {
    assert.ok(isAtomError(error) && !`${error.stack}${JSON.stringify(error)}`.includes(CANARY));
    assert.equal(error.reason, reason);
    return true;
  };
  await assert.rejects(Atom.open({ databaseUrl: 'memory:', pkcs11: nowhere }), refusal('no_key'));
  await assert.rejects(Atom.open({ databaseUrl: 'memory:', key: KEY, acceptedPkcs11: [nowhere] }), refusal('no_key'));
  await assert.rejects(Atom.open({ databaseUrl: 'memory:', key: KEY, pkcs11: nowhere }), refusal('malformed_option'));
  if (process.platform === 'linux') {
    process.env.DBUS_SESSION_BUS_ADDRESS = 'unix:path=/nowhere/bus';
    const keychain = { service: 'com.example.notes', account: 'test', create: true };
    await assert.rejects(Atom.open({ databaseUrl: 'memory:', keychain }), refusal('keychain_unavailable'));
  }
});
