// Verifies with jose, by the protocol of README.md.

import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { given, measure } from './driver.mjs';

const { kid } = decodeProtectedHeader(given.tokens[0]);
const key = await importJWK(given.jwks.keys.find((known) => known.kid === kid), 'EdDSA');
const expected = { algorithms: ['EdDSA'], audience: given.issuer, issuer: given.issuer, typ: 'at+jwt' };

await measure(async (token) => (await jwtVerify(token, key, expected)).payload.sub);
