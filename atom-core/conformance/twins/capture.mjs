// Writes requests.json: what the vendors' own clients send for calls that ours make too.
// `npm ci --ignore-scripts && node capture.mjs`, where a new version of a client is wanted or a call is added.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { Client as HubSpot } from '@hubspot/api-client';
import { Client as Notion } from '@notionhq/client';
import { Octokit } from '@octokit/rest';
import { WebClient } from '@slack/web-api';
import { calendar as Calendar } from '@googleapis/calendar';
import { drive as Drive } from '@googleapis/drive';
import Asana from 'asana';
import { Dropbox } from 'dropbox';
import Stripe from 'stripe';

const require = createRequire(import.meta.url);
const { dependencies } = require('./package.json');

// Of the headers, those that a vendor judges a request by.
const RELEVANT = ['content-type', 'stripe-version', 'notion-version', 'x-github-api-version', 'accept'];

let last;
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url, 'http://loopback');
  const headers = Object.fromEntries(RELEVANT.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]));
  if (headers.accept?.includes('*/*') || headers.accept === 'application/json') delete headers.accept;
  last = { method: request.method, path: url.pathname, query: [...url.searchParams], headers, body: Buffer.concat(chunks).toString() };
  response.setHeader('content-type', 'application/json').end('{"ok":true}');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const port = server.address().port;
const url = `http://127.0.0.1:${port}`;

const found = [];
// One logical call: our operation with its input, and the client's.
async function twin(provider, client, operation, input, call) {
  last = undefined;
  // Clients dislike the recorder's answer; the request is there by then.
  await Promise.resolve().then(call).catch(() => {});
  if (!last) throw new Error(`${client} sent nothing for ${operation}`);
  found.push({ provider, client: `${client} ${dependencies[client]}`, operation, input, request: last });
}

{
  const github = new Octokit({ auth: 'x', baseUrl: url }).rest;
  const at = { owner: 'ada', repo: 'engine' };
  const by = (...rest) => twin('github', '@octokit/rest', ...rest);
  await by('tasks.list', { project_id: 'ada/engine', status: 'open', page_size: 2 }, () => github.issues.listForRepo({ ...at, state: 'open', per_page: 2 }));
  await by('tasks.create', { project_id: 'ada/engine', title: 'Note G', description: 'Numbers', assignee_ids: ['charles'], tags: ['notes'] }, () =>
    github.issues.create({ ...at, title: 'Note G', body: 'Numbers', assignees: ['charles'], labels: ['notes'] }));
  await by('tasks.update', { id: 'ada/engine/issues/12', title: 'Note H', status: 'done' }, () => github.issues.update({ ...at, issue_number: 12, title: 'Note H', state: 'closed' }));
  await by('tasks.add_comment', { task_id: 'ada/engine/issues/12', text: 'Yes' }, () => github.issues.createComment({ ...at, issue_number: 12, body: 'Yes' }));
  await by('code.list_pull_requests', { repository_id: 'ada/engine', state: 'open', page_size: 2 }, () => github.pulls.list({ ...at, state: 'open', per_page: 2 }));
}
{
  const stripe = new Stripe('sk_test_x', { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0 });
  const by = (...rest) => twin('stripe', 'stripe', ...rest);
  await by('payments.list_customers', { email: 'ada@example.com', page_size: 2 }, () => stripe.customers.list({ email: 'ada@example.com', limit: 2 }));
  await by('payments.create_customer', { name: 'Ada', email: 'ada@example.com', description: 'Notes' }, () =>
    stripe.customers.create({ name: 'Ada', email: 'ada@example.com', description: 'Notes' }));
  await by('payments.update_customer', { id: 'cus_1', name: 'Ada L' }, () => stripe.customers.update('cus_1', { name: 'Ada L' }));
  await by('payments.delete_customer', { id: 'cus_1' }, () => stripe.customers.del('cus_1'));
  await by('payments.get_customer', { id: 'cus_1' }, () => stripe.customers.retrieve('cus_1'));
}
{
  const slack = new WebClient('xoxb-x', { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 } });
  const by = (...rest) => twin('slack', '@slack/web-api', ...rest);
  await by('chat.list_messages', { channel_id: 'C1', page_size: 2 }, () => slack.conversations.history({ channel: 'C1', limit: 2 }));
  await by('chat.send_message', { channel_id: 'C1', text: 'Hello', thread_id: '1.2' }, () => slack.chat.postMessage({ channel: 'C1', text: 'Hello', thread_ts: '1.2' }));
  await by('chat.update_message', { channel_id: 'C1', id: '1.2', text: 'Bye' }, () => slack.chat.update({ channel: 'C1', ts: '1.2', text: 'Bye' }));
  await by('chat.delete_message', { channel_id: 'C1', id: '1.2' }, () => slack.chat.delete({ channel: 'C1', ts: '1.2' }));
}
{
  const notion = new Notion({ auth: 'x', baseUrl: url, retry: false });
  const by = (...rest) => twin('notion', '@notionhq/client', ...rest);
  await by('documents.list', { search: 'engine', page_size: 2 }, () => notion.search({ query: 'engine', page_size: 2, filter: { property: 'object', value: 'page' } }));
  await by('documents.get', { id: 'a1b2' }, () => notion.pages.retrieve({ page_id: 'a1b2' }));
  await by('documents.delete', { id: 'a1b2' }, () => notion.pages.update({ page_id: 'a1b2', in_trash: true }));
}
{
  const contacts = new HubSpot({ accessToken: 'x', basePath: url }).crm.contacts;
  const by = (...rest) => twin('hubspot', '@hubspot/api-client', ...rest);
  const properties = { firstname: 'Ada', lastname: 'Lovelace', email: 'ada@example.com' };
  const ours = { first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com' };
  await by('crm.list_contacts', { page_size: 2 }, () => contacts.basicApi.getPage(2));
  await by('crm.create_contact', ours, () => contacts.basicApi.create({ properties, associations: [] }));
  await by('crm.update_contact', { id: '7', last_name: 'King' }, () => contacts.basicApi.update('7', { properties: { lastname: 'King' } }));
  await by('crm.delete_contact', { id: '7' }, () => contacts.basicApi.archive('7'));
}
{
  const client = Asana.ApiClient.instance;
  client.basePath = `${url}/api/1.0`;
  client.authentications.token.accessToken = 'x';
  const tasks = new Asana.TasksApi();
  const by = (...rest) => twin('asana', 'asana', ...rest);
  await by('tasks.list', { project_id: '7', page_size: 2 }, () => tasks.getTasks({ project: '7', limit: 2 }));
  await by('tasks.create', { project_id: '7', title: 'Note G', description: 'Numbers' }, () => tasks.createTask({ data: { projects: ['7'], name: 'Note G', notes: 'Numbers' } }, {}));
  await by('tasks.update', { id: '12', title: 'Note H' }, () => tasks.updateTask({ data: { name: 'Note H' } }, '12', {}));
  await by('tasks.delete', { id: '12' }, () => tasks.deleteTask('12'));
}
{
  const toLoopback = (to, options) => fetch(String(to).replace(/^https:\/\/[^/]+/, url), options);
  const dropbox = new Dropbox({ accessToken: 'x', fetch: toLoopback });
  const by = (...rest) => twin('dropbox', 'dropbox', ...rest);
  await by('files.list', { folder_id: '/notes', page_size: 2 }, () => dropbox.filesListFolder({ path: '/notes', limit: 2 }));
  await by('files.create_folder', { name: 'g', folder_id: '/notes' }, () => dropbox.filesCreateFolderV2({ path: '/notes/g' }));
  await by('files.get', { id: '/notes/g.txt' }, () => dropbox.filesGetMetadata({ path: '/notes/g.txt' }));
  await by('files.delete', { id: '/notes/g.txt' }, () => dropbox.filesDeleteV2({ path: '/notes/g.txt' }));
}
{
  const drive = Drive({ version: 'v3', rootUrl: `${url}/` });
  const calendar = Calendar({ version: 'v3', rootUrl: `${url}/` });
  const times = { start: { dateTime: '2026-12-01T09:00:00Z', timeZone: 'UTC' }, end: { dateTime: '2026-12-01T10:00:00Z', timeZone: 'UTC' } };
  const at = (hour) => ({ type: 'moment', at: `2026-12-01T${hour}:00:00Z`, time_zone: 'UTC' });
  await twin('google', '@googleapis/drive', 'files.get', { id: 'f1' }, () => drive.files.get({ fileId: 'f1' }));
  await twin('google', '@googleapis/drive', 'files.create_folder', { name: 'g', folder_id: 'f1' }, () =>
    drive.files.create({ requestBody: { name: 'g', parents: ['f1'], mimeType: 'application/vnd.google-apps.folder' } }));
  await twin('google', '@googleapis/drive', 'files.update', { id: 'f1', name: 'h' }, () => drive.files.update({ fileId: 'f1', requestBody: { name: 'h' } }));
  await twin('google', '@googleapis/calendar', 'calendar.create_event', { title: 'G', starts: at('09'), ends: at('10'), calendar_id: 'team' }, () =>
    calendar.events.insert({ calendarId: 'team', requestBody: { summary: 'G', ...times } }));
  await twin('google', '@googleapis/calendar', 'calendar.delete_event', { id: 'e1', calendar_id: 'team' }, () => calendar.events.delete({ calendarId: 'team', eventId: 'e1' }));
}

writeFileSync(new URL('requests.json', import.meta.url), `${JSON.stringify(found, null, 1)}\n`);
console.log(`${found.length} requests of ${new Set(found.map((twin) => twin.provider)).size} providers`);
process.exit();
