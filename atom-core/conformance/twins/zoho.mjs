// Zoho's own client, told to go to another address. It asks for the fields of a module before it writes a record, and keeps them in a file, so the
// file is there before it asks.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// First: its modules import each other in a circle, which can be entered here.
import '@zohocrm/nodejs-sdk-8.0';
import { BodyWrapper } from '@zohocrm/nodejs-sdk-8.0/lib/core/com/zoho/crm/api/record/body_wrapper.js';
import { GetRecordsParam, RecordOperations, SearchRecordsParam } from '@zohocrm/nodejs-sdk-8.0/lib/core/com/zoho/crm/api/record/record_operations.js';
import { Record } from '@zohocrm/nodejs-sdk-8.0/lib/core/com/zoho/crm/api/record/record.js';
import { OAuthToken } from '@zohocrm/nodejs-sdk-8.0/lib/models/authenticator/oauth_token.js';
import { Environment } from '@zohocrm/nodejs-sdk-8.0/lib/routes/dc/environment.js';
import { InitializeBuilder } from '@zohocrm/nodejs-sdk-8.0/lib/routes/initialize_builder.js';
import { ParameterMap } from '@zohocrm/nodejs-sdk-8.0/lib/routes/parameter_map.js';
import { SDKConfigBuilder } from '@zohocrm/nodejs-sdk-8.0/lib/routes/sdk_config_builder.js';

const TOKEN = 'x';
const CONTACT = ['First_Name', 'Last_Name', 'Email'];

class Token extends OAuthToken {
  async generateToken() {}
  async authenticate(connector) {
    connector.addHeader('Authorization', `Zoho-oauthtoken ${TOKEN}`);
  }
  getAccessToken() {
    return TOKEN;
  }
  getRefreshToken() {
    return null;
  }
  getUserSignature() {
    return null;
  }
}

async function params(pairs) {
  const map = new ParameterMap();
  for (const [name, value] of pairs) await map.add(name, value);
  return map;
}

function body(values) {
  const record = new Record();
  for (const [name, value] of Object.entries(values)) record.addKeyValue(name, value);
  const wrapper = new BodyWrapper();
  wrapper.setData([record]);
  return wrapper;
}

// The contacts of an account at `url`.
export async function contacts(url) {
  const folder = mkdtempSync(join(tmpdir(), 'zoho-'));
  mkdirSync(join(folder, 'resources'));
  const fields = Object.fromEntries(CONTACT.map((name) => [name, { name, type: 'String' }]));
  writeFileSync(join(folder, 'resources', `${Buffer.from(url + TOKEN).toString('base64')}.json`), JSON.stringify({ contacts: fields }));
  const builder = await new InitializeBuilder();
  builder.environment(new Environment(url, url, url)).token(new Token());
  await builder.SDKConfig(new SDKConfigBuilder().autoRefreshFields(false).build()).resourcePath(folder).initialize();
  const records = new RecordOperations('Contacts');
  return {
    list: async (fields, perPage) => records.getRecords(await params([[GetRecordsParam.FIELDS, fields], [GetRecordsParam.PER_PAGE, perPage]])),
    search: async (email, fields, page, perPage) =>
      records.searchRecords(
        await params([
          [SearchRecordsParam.EMAIL, email],
          [SearchRecordsParam.FIELDS, fields],
          [SearchRecordsParam.PAGE, page],
          [SearchRecordsParam.PER_PAGE, perPage],
        ]),
      ),
    create: (values) => records.createRecords(body(values)),
    update: (id, values) => records.updateRecord(BigInt(id), body(values)),
    remove: (id) => records.deleteRecord(BigInt(id)),
  };
}
