// An OpenID provider that is stricter than most vendors: PKCE is required, refresh tokens rotate, and one that comes back a second
// time ends its family. Any user name signs in. `node oidc.mjs [port]`
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';
import { serveUntilParentLeaves } from './serve.mjs';

const server = createServer();
const url = await serveUntilParentLeaves(server);

const provider = new Provider(url, {
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  clockTolerance: 0,
  cookies: { keys: [randomUUID()] },
  extraClientMetadata: { properties: ['access_token_lifetime', 'withholds_lifetimes'] },
  ttl: {
    AccessToken: (_, __, client) => client.access_token_lifetime,
    AuthorizationCode: 60,
    ClientCredentials: (_, __, client) => client.access_token_lifetime,
    DeviceCode: 600,
    Grant: 3600,
    IdToken: 60,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600,
  },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    registration: {
      enabled: true,
      // Characters that mean something in `Authorization: Basic` and in a form, which RFC 6749 §2.3.1 has encoded.
      secretFactory: () => `50% of a+b/c: ${randomUUID()}`,
    },
    revocation: { enabled: true },
  },
});

// What the token endpoint was asked and said, by client: `authorization_code ok`, `refresh_token invalid_grant`.
const exchanges = new Map();
const record = (ctx, outcome) => {
  const client = ctx.oidc.client?.clientId;
  exchanges.set(client, [...(exchanges.get(client) ?? []), `${ctx.oidc.params?.grant_type} ${outcome}`]);
};
provider.on('grant.success', (ctx) => record(ctx, 'ok'));
provider.on('grant.error', (ctx, error) => record(ctx, error.error));

provider.use(async (ctx, next) => {
  if (ctx.path === '/exchanges') {
    ctx.body = exchanges.get(ctx.query.client_id) ?? [];
  } else if (ctx.path === '/expire') {
    // Its revocation endpoint would end the refresh token too.
    const { AccessToken, ClientCredentials } = provider;
    await ((await AccessToken.find(ctx.query.token)) ?? (await ClientCredentials.find(ctx.query.token))).destroy();
    ctx.body = {};
  } else if (ctx.path === '/guarded') {
    // Whatever the token is good for, it is not for this.
    ctx.status = 401;
    ctx.body = { error: 'not_for_you' };
  } else {
    await next();
    // RFC 6749 §5.1 only recommends to say it.
    if (ctx.oidc?.client?.withholds_lifetimes) delete ctx.body.expires_in;
  }
});

server.on('request', provider.callback());
console.log(`ready ${url}`);
