'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { after, describe, test } = require('node:test');
const { Stage, scenarios } = require('./behaviour.js');

const folder = mkdtempSync(join(tmpdir(), 'atom-'));
after(() => rmSync(folder, { recursive: true }));

const { ATOM_TEST_POSTGRES: postgres } = process.env;
const databases = { sqlite: (index) => `sqlite://${join(folder, `${index}.db`)}`, ...(postgres && { postgres: () => postgres }) };

for (const [database, url] of Object.entries(databases)) {
  describe(`the behaviour suite on ${database}`, () => {
    for (const [index, scenario] of scenarios().entries()) {
      test(`${scenario.file}: ${scenario.name}`, () => new Stage(scenario, url(index)).play(scenario.steps));
    }
  });
}
