// The JavaScript library of Standard Webhooks: verifies what is posted, and signs what is asked for. `node webhooks.mjs [port]`
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { serveUntilParentLeaves } from './serve.mjs';

const webhook = new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
const BODY = '{"type":"order.paid","data":{"name":"Zoë – 数"}}';

const server = createServer(async (request, response) => {
  if (request.method === 'GET') {
    const now = new Date();
    response.setHeader('webhook-id', 'msg_of_javascript');
    response.setHeader('webhook-timestamp', Math.floor(now.getTime() / 1000));
    response.setHeader('webhook-signature', webhook.sign('msg_of_javascript', now, BODY));
    response.end(BODY);
    return;
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const payload = webhook.verify(Buffer.concat(chunks), request.headers);
    response.end(`genuine ${payload.type}`);
  } catch (error) {
    response.statusCode = 401;
    response.end(String(error));
  }
});

const url = await serveUntilParentLeaves(server);
console.log(`ready ${url}`);
