// Reads tokens with better-auth on better-sqlite3, by the line protocol of README.md: https://www.better-auth.com/docs/concepts/oauth

import { betterAuth } from 'better-auth';
import { symmetricEncrypt } from 'better-auth/crypto';
import { getMigrations } from 'better-auth/db/migration';
import Database from 'better-sqlite3';
import { ACCESS_TOKEN, LIFETIME, REFRESH_TOKEN, SCOPE, args, measure, say } from './driver.mjs';

const database = new Database(args.db);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');

const auth = betterAuth({
  database,
  secret: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  baseURL: 'http://127.0.0.1:3000',
  socialProviders: { google: { clientId: 'client', clientSecret: 'secret' } },
  account: { encryptOAuthTokens: true },
  telemetry: { enabled: false },
});
const { internalAdapter, secretConfig } = await auth.$context;

async function fill() {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  const sealed = (data) => symmetricEncrypt({ key: secretConfig, data });
  for (let number = 0; number < args.accounts; number++) {
    const user = await internalAdapter.createUser({ name: 'Ada', email: `ada${number}@example.com`, emailVerified: true });
    await internalAdapter.createAccount({
      userId: user.id,
      providerId: 'google',
      accountId: String(number),
      accessToken: await sealed(ACCESS_TOKEN),
      refreshToken: await sealed(REFRESH_TOKEN),
      accessTokenExpiresAt: new Date(Date.now() + LIFETIME * 1000),
      scope: SCOPE,
    });
  }
  say({ accounts: args.accounts });
}

if (args.mode === 'fill') {
  await fill();
} else {
  // On the server no session is looked up; the account is named by its own id.
  const bodies = database.prepare('SELECT id AS accountId, userId FROM account').all();
  await measure(bodies, async (body) => (await auth.api.getAccessToken({ body })).accessToken);
}
