// Writes requests.json: what the vendors' own clients send for calls that ours make too.
// `npm ci --ignore-scripts && node capture.mjs`, where a new version of a client is wanted or a call is added.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { Client as HubSpot } from '@hubspot/api-client';
import jsforce from '@jsforce/jsforce-node';
import { Client as Notion } from '@notionhq/client';
import { Octokit } from '@octokit/rest';
import { WebClient } from '@slack/web-api';
import { calendar as Calendar } from '@googleapis/calendar';
import { drive as Drive } from '@googleapis/drive';
import { LinearClient } from '@linear/sdk';
import { Client as Graph } from '@microsoft/microsoft-graph-client';
import Asana from 'asana';
import { BoxClient, BoxDeveloperTokenAuth } from 'box-node-sdk';
import { BaseUrls, NetworkSession } from 'box-node-sdk/networking';
import { Dropbox } from 'dropbox';
import { createCloudClient } from 'jira.js';
import Stripe from 'stripe';
import { createTrelloClient } from 'trello.js';
import { contacts as zohoContacts } from './zoho.mjs';

const require = createRequire(import.meta.url);
const { dependencies } = require('./package.json');

// What a client signs in with by way of the address.
const CREDENTIALS = { 'trello.js': ['key', 'token'] };
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
  last.query = last.query.filter(([name]) => !CREDENTIALS[client]?.includes(name));
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
{
  const linear = new LinearClient({ accessToken: 'x', apiUrl: `${url}/graphql` });
  const by = (...rest) => twin('linear', '@linear/sdk', ...rest);
  const filter = { team: { id: { eq: 't1' } }, state: { type: { in: ['started'] } } };
  await by('tasks.list', { project_id: 't1', status: 'in_progress', page_size: 2 }, () => linear.issues({ first: 2, filter, orderBy: 'updatedAt' }));
  await by('tasks.get', { id: 'i1' }, () => linear.issue('i1'));
  await by('tasks.create', { project_id: 't1', title: 'Note G', description: 'Numbers', priority: 'high', assignee_ids: ['u1'] }, () =>
    linear.createIssue({ teamId: 't1', title: 'Note G', description: 'Numbers', priority: 2, assigneeId: 'u1' }));
  await by('tasks.update', { id: 'i1', title: 'Note H', provider_status: 's1' }, () => linear.updateIssue('i1', { title: 'Note H', stateId: 's1' }));
  await by('tasks.add_comment', { task_id: 'i1', text: 'Yes' }, () => linear.createComment({ issueId: 'i1', body: 'Yes' }));
  await by('tasks.delete', { id: 'i1' }, () => linear.deleteIssue('i1'));
}
{
  const host = `${url}/ex/jira/11111111-2222-3333-4444-555555555555`;
  const jira = createCloudClient({ host, auth: { type: 'bearer', token: 'x' }, onSchemaMismatch: 'silent' });
  const by = (...rest) => twin('jira', 'jira.js', ...rest);
  const adf = (text) => ({ type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text }] }] });
  const jql = 'created >= "2000-01-01" AND project = "10000" AND statusCategory = "To Do"';
  await by('tasks.list', { project_id: '10000', status: 'open', page_size: 2 }, () => jira.issueSearch.searchAndReconsileIssuesUsingJql({ jql, maxResults: 2 }));
  await by('tasks.list_projects', { search: 'engine', page_size: 2 }, () => jira.projects.searchProjects({ query: 'engine', maxResults: 2, startAt: 0, expand: 'description' }));
  await by('tasks.create', { project_id: '10000', title: 'Note G', description: 'Numbers', tags: ['notes'] }, () =>
    jira.issues.createIssue({ fields: { project: { id: '10000' }, issuetype: { name: 'Task' }, summary: 'Note G', description: adf('Numbers'), labels: ['notes'] } }));
  await by('tasks.update', { id: '10001', title: 'Note H' }, () => jira.issues.editIssue({ issueIdOrKey: '10001', fields: { summary: 'Note H' } }));
  await by('tasks.add_comment', { task_id: '10001', text: 'Yes' }, () => jira.issueComments.addComment({ issueIdOrKey: '10001', body: adf('Yes') }));
  await by('tasks.delete', { id: '10001' }, () => jira.issues.deleteIssue({ issueIdOrKey: '10001' }));
}
{
  const trello = createTrelloClient({ host: `${url}/1`, apiKey: 'k', apiToken: 't' });
  const by = (...rest) => twin('trello', 'trello.js', ...rest);
  await by('tasks.list', { search: 'engine', project_id: 'b1', page_size: 2 }, () =>
    trello.search.search({ query: 'engine', modelTypes: 'cards', partial: true, idBoards: 'b1', cardMembers: true, cardsLimit: 2, cardsPage: 0 }));
  await by('tasks.get', { id: 'c1' }, () => trello.cards.getCard({ id: 'c1', members: true, memberFields: ['fullName', 'username'] }));
  await by('tasks.list_comments', { task_id: 'c1', page_size: 2 }, () => trello.cards.getCardActions({ id: 'c1', filter: 'commentCard', limit: 2, page: 0 }));
  await by('tasks.create', { title: 'Note G', description: 'Numbers', provider_status: 'l1', due_at: '2026-12-24T00:00:00Z' }, () =>
    trello.cards.createCard({ idList: 'l1', name: 'Note G', desc: 'Numbers', due: '2026-12-24T00:00:00Z' }));
  await by('tasks.update', { id: 'c1', title: 'Note H', status: 'done' }, () => trello.cards.updateCard({ id: 'c1', name: 'Note H', dueComplete: true }));
  await by('tasks.add_comment', { task_id: 'c1', text: 'Yes' }, () => trello.cards.createCardComment({ id: 'c1', text: 'Yes' }));
  await by('tasks.delete', { id: 'c1' }, () => trello.cards.deleteCard({ id: 'c1' }));
}
{
  const networkSession = new NetworkSession({ baseUrls: new BaseUrls({ baseUrl: url, uploadUrl: url, oauth2Url: url }) });
  const box = new BoxClient({ auth: new BoxDeveloperTokenAuth({ token: 'x' }), networkSession });
  const by = (...rest) => twin('box', 'box-node-sdk', ...rest);
  await by('files.list', { folder_id: 'folders/7', page_size: 2 }, () => box.folders.getFolderItems('7', { queryParams: { usemarker: true, limit: 2 } }));
  await by('files.list', { folder_id: 'folders/7', search: 'engine', page_size: 2 }, () =>
    box.search.searchForContent({ query: 'engine', ancestorFolderIds: ['7'], limit: 2, offset: 0 }));
  await by('files.create_folder', { name: 'g', folder_id: 'folders/7' }, () => box.folders.createFolder({ name: 'g', parent: { id: '7' } }));
  await by('files.update', { id: 'files/12', name: 'h', folder_id: 'folders/8' }, () =>
    box.files.updateFileById('12', { requestBody: { name: 'h', parent: { id: '8' } } }));
  await by('box.add_comment', { id: 'files/12', text: 'Yes' }, () => box.comments.createComment({ message: 'Yes', item: { id: '12', type: 'file' } }));
  await by('files.delete', { id: 'files/12' }, () => box.files.deleteFileById('12'));
}
{
  const contacts = new jsforce.Connection({ instanceUrl: url, accessToken: 'x', version: '65.0' }).sobject('Contact');
  const by = (...rest) => twin('salesforce', '@jsforce/jsforce-node', ...rest);
  const fields = ['Id', 'Name', 'FirstName', 'LastName', 'Email', 'Phone', 'Title', 'AccountId', 'Account.Name', 'OwnerId', 'CreatedDate', 'LastModifiedDate', 'IsDeleted'];
  const found = { IsDeleted: false, Name: { $like: "%O'Brien%" }, Email: 'ada@example.com' };
  await by('crm.list_contacts', { search: "O'Brien", email: 'ada@example.com' }, () => contacts.find(found, fields));
  await by('crm.get_contact', { id: '003000000000001' }, () => contacts.retrieve('003000000000001'));
  await by('crm.create_contact', { first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com' }, () =>
    contacts.create({ FirstName: 'Ada', LastName: 'Lovelace', Email: 'ada@example.com' }));
  await by('crm.update_contact', { id: '003000000000001', last_name: 'King' }, () => contacts.update({ Id: '003000000000001', LastName: 'King' }));
  await by('crm.delete_contact', { id: '003000000000001' }, () => contacts.destroy('003000000000001'));
}
{
  // A thin client: paths and bodies are the caller's, and what it makes of them is compared.
  const graph = Graph.init({ baseUrl: `${url}/`, customHosts: new Set(['127.0.0.1']), authProvider: (done) => done(null, 'x') });
  const by = (...rest) => twin('microsoft', '@microsoft/microsoft-graph-client', ...rest);
  const at = (hour) => ({ type: 'moment', at: `2026-12-01T${hour}:00:00Z`, time_zone: 'UTC' });
  const there = (hour) => ({ dateTime: `2026-12-01T${hour}:00:00`, timeZone: 'UTC' });
  await by('mail.list', { page_size: 2 }, () => graph.api('/me/messages').top(2).orderby('receivedDateTime desc').get());
  // It leaves an `&` as it is, so there is none.
  await by('mail.list', { search: 'Note "G"', page_size: 2 }, () => graph.api('/me/messages').top(2).search('"Note \\"G\\""').get());
  await by('calendar.create_event', { title: 'G', starts: at('09'), ends: at('10') }, () =>
    graph.api('/me/events').post({ subject: 'G', start: there('09'), end: there('10'), isAllDay: false }));
  await by('calendar.update_event', { id: 'AAMkAD1=', title: 'H' }, () => graph.api('/me/events/AAMkAD1=').patch({ subject: 'H' }));
  await by('files.create_folder', { name: 'g', folder_id: 'drives/b1/items/i1' }, () =>
    graph.api('/drives/b1/items/i1/children').post({ name: 'g', folder: {}, '@microsoft.graph.conflictBehavior': 'fail' }));
  await by('files.delete', { id: 'drives/b1/items/i2' }, () => graph.api('/drives/b1/items/i2').delete());
}
{
  const zoho = await zohoContacts(url);
  const by = (...rest) => twin('zoho', '@zohocrm/nodejs-sdk-8.0', ...rest);
  const fields = 'Full_Name,First_Name,Last_Name,Email,Phone,Title,Account_Name,Owner,Created_Time,Modified_Time';
  const id = '4150868000000624001';
  await by('crm.list_contacts', { page_size: 2 }, () => zoho.list(fields, 2));
  await by('crm.list_contacts', { email: 'ada@example.com', page_size: 2 }, () => zoho.search('ada@example.com', fields, 1, 2));
  await by('crm.create_contact', { first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com' }, () =>
    zoho.create({ First_Name: 'Ada', Last_Name: 'Lovelace', Email: 'ada@example.com' }));
  await by('crm.update_contact', { id, last_name: 'King' }, () => zoho.update(id, { Last_Name: 'King' }));
  await by('crm.delete_contact', { id }, () => zoho.remove(id));
}

writeFileSync(new URL('requests.json', import.meta.url), `${JSON.stringify(found, null, 1)}\n`);
console.log(`${found.length} requests of ${new Set(found.map((twin) => twin.provider)).size} providers`);
process.exit();
