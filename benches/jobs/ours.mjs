// Drives the library's own jobs with handlers in JavaScript, by the line protocol of README.md.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Starts, args, drained, latency, numbers, timed } from './driver.mjs';

const { Atom } = createRequire(import.meta.url)(process.env.ATOM_BENCH_NODE);

const atom = await Atom.open({
  databaseUrl: args.db,
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  jobKinds: [{ name: 'no_op', keepSeconds: 0 }],
});
const { jobs } = atom;
const starts = new Starts();
const work = () => atom.startWorker({ no_op: async () => starts.now() }, { concurrency: 24 });
const job = (input) => ({ kind: 'no_op', input });

async function left() {
  const unfinished = (await jobs.counts()).filter(({ state }) => state === 'waiting' || state === 'running');
  return unfinished.reduce((sum, { count }) => sum + count, 0);
}

switch (args.mode) {
  case 'enqueue-one':
    await timed(async () => {
      for (const number of numbers) await jobs.enqueue(job(number));
    });
    break;
  case 'enqueue-many':
    await timed(() => jobs.enqueueMany(numbers.map(job)));
    break;
  case 'drain':
    await drained(work, () => starts.count, left);
    break;
  case 'held': {
    await jobs.enqueueMany(numbers.map(job));
    const late = [];
    const worker = await atom.startWorker({ no_op: async () => starts.now() }, { concurrency: 64 });
    while (starts.count < args.jobs) {
      const clock = performance.now();
      await sleep(1);
      late.push(Math.max(0, Math.round((performance.now() - clock - 1) * 1000)));
    }
    await worker.stop();
    console.log(JSON.stringify({ samples_us: late }));
    break;
  }
  case 'latency':
    await work();
    await latency(() => jobs.enqueue(job(0)), starts.next);
    break;
}
await atom.shutDown();
