// What the drivers in Node.js share: the arguments, the loops and the lines of the protocol in README.md.

import { parseArgs } from 'node:util';

const AT_ONCE = 64;
// Reads between two looks at the clock.
const BATCH = 64;

export const ACCESS_TOKEN = 'ya29.' + 'a'.repeat(32);
export const REFRESH_TOKEN = '1//' + 'r'.repeat(32);
export const SCOPE = 'https://www.googleapis.com/auth/drive';
export const LIFETIME = 12 * 3600;

const text = { type: 'string' };
const { values } = parseArgs({
  options: { db: text, mode: text, accounts: text, seconds: text, samples: text, variant: { ...text, default: 'default' } },
});
export const args = {
  ...values,
  accounts: Number(values.accounts),
  seconds: Number(values.seconds),
  samples: Number(values.samples),
};

export const say = (line) => console.log(JSON.stringify(line));

/** `read` is given an account and promises its access token. */
export async function measure(accounts, read) {
  let turn = 0;
  const next = () => read(accounts[turn++ % accounts.length]);
  const token = await next();
  if (!token.startsWith('ya29.') || token.length !== ACCESS_TOKEN.length) {
    throw new Error('this is not the token that was stored');
  }

  const one = async () => {
    for (let i = 0; i < BATCH; i++) await next();
  };
  const many = () => Promise.all(Array.from({ length: AT_ONCE }, next));

  async function during(seconds) {
    const start = performance.now();
    let [reads, passed] = [0, 0];
    while ((passed = (performance.now() - start) / 1000) < seconds) {
      await (args.mode === 'one' ? one() : many());
      reads += args.mode === 'one' ? BATCH : AT_ONCE;
    }
    return { reads, seconds: passed };
  }

  await during(args.seconds / 4);
  const measured = await during(args.seconds);
  if (args.mode === 'many') return say(measured);
  const samples = [];
  for (let i = 0; i < args.samples; i++) {
    const start = process.hrtime.bigint();
    await next();
    samples.push(Number(process.hrtime.bigint() - start));
  }
  say({ ...measured, samples_ns: samples });
}
