// Runs one service of `emulate`.
import { Server } from 'node:net';
import { Readable } from 'node:stream';
import { createEmulator } from 'emulate';
import { serveUntilParentLeaves } from './serve.mjs';

// `mend` gets each request before `emulate` does, as { method, url, headers, body }: it may change it where `emulate` does not take what the
// vendor takes, or return { answer } where `emulate` has no answer at all.
export async function play(service, seed, { baseUrl, mend } = {}) {
  // `emulate` keeps its server to itself and opens it on every interface; here it is wanted on loopback, on whichever port is free.
  const listen = Server.prototype.listen;
  const opened = new Promise((resolve) => {
    Server.prototype.listen = function () {
      Server.prototype.listen = listen;
      if (mend) putBefore(this, mend);
      resolve(serveUntilParentLeaves(this));
      return this;
    };
  });
  await createEmulator({ service, baseUrl, seed: { [service]: seed } });
  console.log(`ready ${await opened}`);
}

function putBefore(server, mend) {
  const [emulate] = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const { answer, ...mended } = mend({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
    if (answer) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      return;
    }
    const body = Buffer.from(mended.body, 'latin1');
    const length = { 'content-length': String(body.length) };
    emulate(Object.assign(Readable.from([body]), { ...mended, headers: { ...mended.headers, ...length } }), response);
  });
}
