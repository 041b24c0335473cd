// What the drivers in Node.js share: the arguments and the lines of the protocol in README.md.

import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

const text = { type: 'string' };
const { values } = parseArgs({
  options: { db: text, mode: text, jobs: text, seconds: text, variant: { ...text, default: 'default' } },
});
export const args = { ...values, jobs: Number(values.jobs), limit: Number(values.seconds) * 1000 };

export const numbers = Array.from({ length: args.jobs }, (_, job) => job);

const rate = (jobs, clock) => console.log(JSON.stringify({ jobs, seconds: (performance.now() - clock) / 1000 }));

export async function timed(act) {
  const clock = performance.now();
  await act();
  rate(args.jobs, clock);
}

/** `seen` counts the handlers called, `left` the jobs that the database does not know as done. */
export async function drained(work, seen, left) {
  const clock = performance.now();
  await work();
  let unfinished = args.jobs;
  while (unfinished > 0 && performance.now() - clock < args.limit) {
    await sleep(2);
    // Counting is not free: not before every handler has been called.
    if (seen() >= args.jobs || performance.now() - clock >= args.limit) unfinished = await left();
  }
  rate(args.jobs - unfinished, clock);
}

/** One job at a time on an idle worker, from before the call to the start of the handler. */
export async function latency(enqueue, started) {
  const samples = [];
  for (const job of numbers) {
    // From 20 to 520 ms, in no step with anybody's polling.
    await sleep(20 + ((job * 197) % 500));
    const next = started();
    const clock = performance.now();
    await enqueue();
    samples.push(Math.round(((await next) - clock) * 1000));
  }
  console.log(JSON.stringify({ samples_us: samples }));
}

/** What the handlers tell: how many were called, and when the next one is. */
export class Starts {
  count = 0;
  #waiting;

  next = () => new Promise((resolve) => (this.#waiting = resolve));

  now(jobs = 1) {
    this.count += jobs;
    this.#waiting?.(performance.now());
  }
}
