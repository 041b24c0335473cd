// What the drivers in Node.js share: the arguments, and the line of the protocol in README.md.

import { parseArgs } from 'node:util';

export const FIELDS =
  'nextPageToken,files(id,name,mimeType,size,parents,sha256Checksum,owners(permissionId,displayName,emailAddress),' +
  'createdTime,modifiedTime,webViewLink,trashed,properties)';

const text = { type: 'string' };
const { values } = parseArgs({ options: { db: text, url: text, lists: text } });
export const args = { ...values, lists: Number(values.lists) };

/** What is taken of every file. */
export class Seen {
  items = 0;
  bytes = 0;
  letters = 0;

  add(id, name, size) {
    this.items += 1;
    this.bytes += size;
    this.letters += id.length + Buffer.byteLength(name);
  }
}

export async function measure(once) {
  await once();
  const start = process.cpuUsage();
  let [items, seen] = [0, undefined];
  for (let i = 0; i < args.lists; i++) {
    seen = await once();
    items += seen.items;
  }
  const { user, system } = process.cpuUsage(start);
  console.log(JSON.stringify({ items, cpu: (user + system) / 1e6, bytes: seen.bytes, letters: seen.letters }));
}
