// Drives graphile-worker by the line protocol of README.md.

import { Logger, WorkerPreset, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { Starts, args, drained, latency, numbers, timed } from './driver.mjs';

// https://worker.graphile.org/docs/performance: 24 jobs at a time, and for batches a local queue of 500 and delays of 0.
const batches = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const preset = {
  extends: [WorkerPreset],
  worker: {
    connectionString: args.db,
    concurrentJobs: 24,
    maxPoolSize: 25,
    logger: new Logger(() => () => {}),
    ...(args.variant === 'batched' ? batches : {}),
  },
};

const starts = new Starts();
const taskList = { no_op: async () => starts.now() };
const pool = new pg.Pool({ connectionString: args.db });
const utils = await makeWorkerUtils({ preset });
await utils.migrate();

const fill = () => utils.addJobs(numbers.map((job) => ({ identifier: 'no_op', payload: { job } })));
const left = async () => (await pool.query('SELECT count(*)::int FROM graphile_worker.jobs')).rows[0].count;
const work = () => run({ preset, taskList });

switch (args.mode) {
  case 'enqueue-one':
    await timed(async () => {
      for (const job of numbers) await utils.addJob('no_op', { job });
    });
    break;
  case 'enqueue-many':
    await timed(fill);
    break;
  case 'drain':
    await drained(work, () => starts.count, left);
    break;
  case 'latency':
    await work();
    await latency(() => utils.addJob('no_op', {}), starts.next);
    break;
}
process.exit();
