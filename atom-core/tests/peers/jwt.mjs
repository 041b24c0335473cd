// `jose` verifies signed documents and gives tokens for them (RFC 7523). `node jwt.mjs [port]`
//   GET /RS256/key, GET /ES256/key   a private key that it knows, as PEM
//   POST /RS256/token, …             a token for a document
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { serveUntilParentLeaves } from './serve.mjs';

const server = createServer();
const url = await serveUntilParentLeaves(server);
const pairs = new Map();
for (const alg of ['RS256', 'ES256']) pairs.set(alg, await generateKeyPair(alg, { extractable: true }));
const seen = new Set();

async function answer(request) {
  const [, alg, what] = request.url.split('/');
  const { privateKey, publicKey } = pairs.get(alg);
  if (what === 'key') return [200, await exportPKCS8(privateKey)];
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  try {
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type');
    const expected = { algorithms: [alg], issuer: 'robot', audience: `${url}/${alg}/token`, maxTokenAge: '1h', requiredClaims: ['iat', 'exp', 'jti'] };
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion'), publicKey, expected);
    if (protectedHeader.kid !== 'key-1' || payload.scope !== 'read,write' || seen.has(payload.jti)) throw new Error('claims');
    seen.add(payload.jti);
    return [200, JSON.stringify({ access_token: randomUUID(), token_type: 'Bearer', expires_in: 3600 })];
  } catch (error) {
    console.error(error);
    return [400, JSON.stringify({ error: 'invalid_grant' })];
  }
}

server.on('request', async (request, response) => {
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
});
console.log(`ready ${url}`);
