// The worker in Node of the workers example: it packs a parcel for each order, until it is told to stop.
//
//     DATABASE_URL=postgres://… ATOM_KEY=… node worker.mjs

import { setTimeout } from 'node:timers/promises';
import { Atom } from 'atom-node';

const atom = await Atom.open({
  databaseUrl: process.env.DATABASE_URL,
  jobKinds: [{ name: 'order.parcel', queue: 'node' }],
});

const parcel = async (job) => {
  await setTimeout(5); // what a scale and a label would take
  return { grams: 200 + (job.input.order % 50) };
};

const worker = await atom.startWorker({ 'order.parcel': parcel }, { concurrency: 4, label: 'node' });

for (const name of ['SIGTERM', 'SIGINT']) {
  process.once(name, async () => {
    await worker.stop();
    await atom.shutDown();
  });
}
