// The Linear of `emulate`. `node linear.mjs [port]`
import { play } from './emulate.mjs';

// What Linear's schema has and that of `emulate` does not. Whether our documents fit Linear's own is judged by `conformance/`.
const LACKS = [
  [' organization { id name urlKey }', ''],
  [' trashed', ''],
  [' parent { id }', ''],
  ['id body url createdAt', 'id body createdAt'],
  ['orderBy: updatedAt', 'orderBy: "updatedAt"'],
  // The test leaves out by itself what these would.
  [', $filter: WorkflowStateFilter', ''],
  ['workflowStates(first: $first, after: $after, filter: $filter)', 'workflowStates(first: $first, after: $after)'],
  [', $filter: CommentFilter', ''],
  ['comments(first: $first, after: $after, filter: $filter)', 'comments(first: $first, after: $after)'],
];

// It compares with the id of a team or an assignee, or the type of a state, directly.
const flat = ({ team, assignee, state, searchableContent } = {}) => ({
  team: team?.id,
  assignee: assignee?.id,
  state: state?.type,
  title: searchableContent,
});

function mended(request) {
  if (request.url !== '/graphql') return request;
  const asked = JSON.parse(Buffer.from(request.body, 'latin1').toString());
  const query = LACKS.reduce((text, [linear, emulate]) => text.replaceAll(linear, emulate), asked.query);
  const { filter, ...variables } = asked.variables ?? {};
  if (query.includes('IssueFilter')) variables.filter = flat(filter);
  if (query.includes('TeamFilter') && filter) variables.filter = filter;
  return { ...request, body: Buffer.from(JSON.stringify({ query, variables })).toString('latin1') };
}

await play(
  'linear',
  {
    organization: { name: 'Engines', url_key: 'engines' },
    users: [
      { email: 'ada@example.com', name: 'Ada', admin: true },
      { email: 'charles@example.com', name: 'Charles' },
    ],
    teams: [
      {
        key: 'AXLE',
        name: 'Engines',
        states: [
          { name: 'Todo', type: 'unstarted' },
          { name: 'In Progress', type: 'started' },
          { name: 'Oiled', type: 'completed' },
        ],
      },
    ],
    oauth_apps: [
      {
        client_id: 'atom',
        client_secret: 'a secret: 50% & more',
        name: 'Atom',
        redirect_uris: ['https://app.example.com/callback/linear'],
        scopes: ['read', 'write'],
        actor: 'user',
      },
    ],
    // What was granted is all that may be done.
    strict_scopes: true,
  },
  { mend: mended },
);
