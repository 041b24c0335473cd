// Drives pg-boss by the line protocol of README.md.

import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { Starts, args, drained, latency, numbers, timed } from './driver.mjs';

// https://pgboss.io/api/workers: its defaults take one job every two seconds. These take full batches without a pause and are
// woken by NOTIFY.
const queue = 'no-op';
const boss = new PgBoss({ connectionString: args.db, useListenNotify: true });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(queue, { notify: true });

const pool = new pg.Pool({ connectionString: args.db });
const starts = new Starts();
const options = { batchSize: 1000, burstWhenBatchFull: true, localConcurrency: 2 };
const work = () => boss.work(queue, options, async (jobs) => starts.now(jobs.length));
const fill = () => boss.insert(queue, numbers.map((job) => ({ data: { job } })));
const left = async () => (await pool.query("SELECT count(*)::int FROM pgboss.job WHERE state < 'completed'")).rows[0].count;

switch (args.mode) {
  case 'enqueue-one':
    await timed(async () => {
      for (const job of numbers) await boss.send(queue, { job });
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
    await latency(() => boss.send(queue, {}), starts.next);
    break;
}
process.exit();
