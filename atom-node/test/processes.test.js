'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { join } = require('node:path');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const { Worker } = require('node:worker_threads');
const { Probe } = require('..');

const PACKAGE = JSON.stringify(join(__dirname, '..'));
const EXITS = Number(process.env.ATOM_TEST_EXITS ?? 30);
const run = promisify(execFile);

/** Runs a script in a process of its own; fails on any exit code, any output on stderr and after 20 seconds. */
async function script(body) {
  const text = `const { Probe } = require(${PACKAGE}); (async () => { ${body} })();`;
  const { stdout, stderr } = await run(process.execPath, ['-e', text], { timeout: 20_000 });
  assert.equal(stderr, '');
  return stdout;
}

/** Runs it many times, four at once. */
async function often(body) {
  let left = EXITS;
  const lane = async () => {
    while (left-- > 0) await script(body);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

describe('calls', () => {
  test('200 run at the same time', async () => {
    const probe = await Probe.start();
    const texts = Array.from({ length: 200 }, (_, index) => String(index));
    assert.deepEqual(await Promise.all(texts.map((text) => probe.echoOptional(text))), texts);
    const started = Date.now();
    await Promise.all(texts.map(() => probe.wait(200)));
    assert.ok(Date.now() - started < 5000);
  });
});

describe('a process', () => {
  test('ends by itself when its calls are done', () => often('const probe = await Probe.start(); await probe.wait(5); await probe.nothing();'));

  test('stays until its calls are done', async () => {
    const text = await script("const probe = await Probe.start(); probe.wait(200).then(() => process.stdout.write('done'));");
    assert.equal(text, 'done');
  });

  test('may exit while calls are in flight', () =>
    often('const probe = await Probe.start(); for (let i = 0; i < 40; i++) probe.wait(i % 7); setTimeout(() => process.exit(0), 3);'));

  test('may exit right after it started calls', () =>
    often('const probe = await Probe.start(); for (let i = 0; i < 40; i++) probe.nothing(); process.exit(0);'));
});

describe('a process with handlers', () => {
  const trial = "const trial = { kind: 'test', input: 1, jobs: 20 };";
  const wait = 'const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));';

  test('ends by itself when its jobs are done', () =>
    often(`${trial} ${wait} const probe = await Probe.start(); await probe.run({ test: () => wait(2) }, trial);`));

  test('may exit while they run', () =>
    often(`${trial} ${wait} const probe = await Probe.start();
      for (const millis of [0, 1, 60_000]) probe.run({ test: () => wait(millis) }, trial); setTimeout(() => process.exit(0), 3);`));

  test('may exit right after they were handed over', () =>
    often(`${trial} const probe = await Probe.start(); probe.run({ test: () => 1 }, trial); process.exit(0);`));

  test('may exit from within one', () =>
    often(`${trial} const probe = await Probe.start(); probe.run({ test: () => process.exit(0) }, trial);`));
});

const worker = (body) => {
  const text = `const { parentPort } = require('node:worker_threads'); const { Probe } = require(${PACKAGE}); (async () => { ${body} })();`;
  return new Worker(text, { eval: true });
};

const outcome = (thread) =>
  new Promise((resolve, reject) => {
    let message;
    thread.on('message', (value) => (message = value)).on('error', reject).on('exit', () => resolve(message));
  });

describe('worker threads', () => {
  test('each load the package and call at the same time', async () => {
    const body = `
      const probe = await Probe.start();
      const texts = await Promise.all(Array.from({ length: 50 }, (_, index) => probe.echoOptional(String(index))));
      const code = await probe.fail('conflict').catch((error) => error.code);
      parentPort.postMessage([texts.length, code]);`;
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => outcome(worker(body))));
      assert.deepEqual(outcomes, Array(4).fill([50, 'conflict']));
    }
    assert.equal(await (await Probe.start()).echoOptional('main'), 'main');
  });

  test('may be terminated while calls are in flight, and the main thread calls on', async () => {
    const probe = await Probe.start();
    const body = "const probe = await Probe.start(); for (let i = 0; i < 40; i++) probe.wait(i); parentPort.postMessage('busy'); setInterval(() => probe.nothing(), 1);";
    const threads = [1, 2, 3, 4].map(() => worker(body));
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))));
    const mine = Promise.all(Array.from({ length: 50 }, () => probe.wait(30)));
    await Promise.all(threads.map((thread) => thread.terminate()));
    await mine;
    assert.equal(await probe.echoOptional('still here'), 'still here');
  });

  test('each run handlers of their own', async () => {
    const body = `
      const probe = await Probe.start();
      const outcomes = await probe.run({ test: async (job) => job.input }, { kind: 'test', input: 'here', jobs: 50 });
      parentPort.postMessage(outcomes.every(({ output }) => output === 'here'));`;
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => outcome(worker(body)))), Array(4).fill(true));
    }
  });

  test('may be terminated while handlers run', async () => {
    const body = `
      const probe = await Probe.start();
      const run = (handler) => probe.run({ test: handler }, { kind: 'test', input: 1, jobs: 20, cancelAfter: 10 }).then(() => run(handler));
      run(() => new Promise((resolve) => setTimeout(resolve, 3)));
      run(() => 1);
      probe.run({ test: () => new Promise(() => {}) }, { kind: 'test', input: 1, jobs: 20 });
      parentPort.postMessage('busy');`;
    for (let round = 0; round < 3; round++) {
      const threads = [1, 2, 3, 4].map(() => worker(body));
      await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))));
      await Promise.all(threads.map((thread) => thread.terminate()));
    }
    const probe = await Probe.start();
    assert.deepEqual(await probe.run({ test: () => 1 }, { kind: 'test', input: null, jobs: 1 }), [{ output: 1 }]);
  });
});
