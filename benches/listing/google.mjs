// Lists files with googleapis, by the protocol of README.md.

import { drive_v3, auth } from '@googleapis/drive';
import { args, FIELDS, measure, Seen } from './driver.mjs';

const credentials = new auth.OAuth2();
credentials.setCredentials({ access_token: 'token', expiry_date: Date.now() + 86_400_000 });
const drive = new drive_v3.Drive({ auth: credentials, rootUrl: args.url });

await measure(async () => {
  const seen = new Seen();
  let pageToken;
  do {
    const { data } = await drive.files.list({ pageSize: 1000, fields: FIELDS, pageToken });
    for (const file of data.files) seen.add(file.id, file.name, Number(file.size));
    pageToken = data.nextPageToken;
  } while (pageToken);
  return seen;
});
