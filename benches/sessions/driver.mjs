// What the drivers in Node.js share: the arguments, the loops and the line of the protocol in README.md.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const AT_ONCE = 64;
// Verifications between two looks at the clock.
const BATCH = 64;

const text = { type: 'string' };
const { values } = parseArgs({ options: { file: text, mode: text, seconds: text } });
export const given = JSON.parse(readFileSync(values.file, 'utf8'));

/** `verify` is given a token and promises the id of whom it speaks for. */
export async function measure(verify) {
  let turn = 0;
  const check = async () => {
    if ((await verify(given.tokens[turn++ % given.tokens.length])) !== given.user) {
      throw new Error('the token speaks for somebody else');
    }
  };
  const one = async () => {
    for (let i = 0; i < BATCH; i++) await check();
  };
  const many = () => Promise.all(Array.from({ length: AT_ONCE }, check));

  async function during(seconds) {
    const start = performance.now();
    let [verified, passed] = [0, 0];
    while ((passed = (performance.now() - start) / 1000) < seconds) {
      await (values.mode === 'one' ? one() : many());
      verified += values.mode === 'one' ? BATCH : AT_ONCE;
    }
    return { verified, seconds: passed };
  }

  await during(Number(values.seconds) / 4);
  console.log(JSON.stringify(await during(Number(values.seconds))));
}
