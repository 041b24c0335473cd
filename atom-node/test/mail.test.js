'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { Atom, isAtomError } = require('..');

const CANARY = 'canary-of-a-mail';
const TO = 'ada@example.com';

/** A mail service in this process. */
class Post {
  mails = [];

  constructor(answer = (mail) => `post-${mail.id}`) {
    this.answer = answer;
  }

  async send(mail) {
    await sleep(5);
    this.mails.push(mail);
    return this.answer(mail);
  }
}

const options = { databaseUrl: 'memory:', appUrl: 'https://acme.example', appName: 'Acme', mailFrom: 'Acme <no-reply@acme.example>' };
const opened = (post, more = {}) => Atom.openWithHooks({ ...options, ...more }, {}, null, null, post);

/** What becomes of a mail that is sent so. */
async function sent(post) {
  const atom = await opened(post);
  const mail = await atom.mail.sendTest(TO, 'sign_in_code');
  await atom.shutDown();
  return mail;
}

/** An error as Atom throws it. */
async function ours(call) {
  const error = await call.then(() => assert.fail('it is refused'), (error) => error);
  assert.ok(isAtomError(error));
  return error;
}

describe('a mail sender', () => {
  test('is an object that sends the mail of an installation', async () => {
    const post = new Post();
    const atom = await opened(post);
    const found = await atom.mail.sendTest(TO, 'sign_in_code');
    assert.deepEqual([found.state, found.to, found.receiptId], ['sent', 'a***@example.com', `post-${found.id}`]);
    const [mail] = post.mails;
    assert.deepEqual([mail.id, mail.to, mail.kind, mail.sender], [found.id, TO, 'sign_in_code', 'Acme <no-reply@acme.example>']);
    assert.ok(mail.subject === 'Your code for Acme' && mail.text.includes('12345678') && mail.html.includes('<html'));
    assert.equal(mail.headers['Message-ID'], `<${found.id.replaceAll('-', '')}@acme.example>`);
    assert.deepEqual((await atom.mail.list({})).items.map(({ id }) => id), [found.id]);
    const reported = await atom.mail.report({ messageId: mail.headers['Message-ID'], isComplaint: true });
    assert.deepEqual([reported.state, reported.reason], ['complained', 'complained']);
    await atom.shutDown();
  });

  test('may be plain, and need not name a receipt', async () => {
    for (const answer of [undefined, null]) {
      const mail = await sent({ send: () => answer });
      assert.deepEqual([mail.state, mail.receiptId], ['sent', undefined]);
    }
  });

  test('is tried again when it throws, and only its class is told', async () => {
    const fail = (mail) => {
      throw new RangeError(CANARY + mail.text);
    };
    for (const post of [new Post(fail), { send: fail }]) {
      const mail = await sent(post);
      assert.deepEqual([mail.state, mail.reason, mail.attempts], ['queued', 'mail_sender_failed', 1]);
      assert.ok(mail.explanation.includes('RangeError') && !mail.explanation.includes(CANARY));
    }
    for (const output of [5, { id: 'receipt' }, 5n]) {
      assert.equal((await sent({ send: () => output })).reason, 'mail_sender_failed');
    }
  });

  test('decides with an error of Atom by its kind', async () => {
    const atom = await Atom.open({ databaseUrl: 'memory:' });
    const error = await ours(atom.mail.get('01890a5d-ac96-774b-bcce-b302099a8057'));
    await atom.shutDown();
    const mail = await sent({ send: () => Promise.reject(error) });
    assert.deepEqual([mail.state, mail.reason], ['failed', 'not_found']);
  });

  test('has texts of the host to send', async () => {
    const german = { kind: 'sign_in_code', locale: 'de', subject: 'Ihr Code', text: '{{ app_name }}: {{ code }}' };
    const atom = await opened(new Post(), { mailTemplates: [german] });
    const preview = await atom.mail.preview('sign_in_code', 'de-AT');
    assert.deepEqual([preview.locale, preview.subject, preview.text, preview.html], ['de', 'Ihr Code', 'Acme: 12345678\n', undefined]);
    await atom.shutDown();
    const broken = opened(new Post(), { mailTemplates: [{ ...german, text: '{{ link }}' }] });
    assert.equal((await ours(broken)).reason, 'malformed_mail_template');
  });

  test('is the only way to send mail that is given', async () => {
    assert.equal((await ours(opened(new Post(), { smtp: { host: 'smtp.acme.example' } }))).reason, 'malformed_option');
    const atom = await Atom.open(options);
    assert.equal((await ours(atom.mail.sendTest(TO, 'invite'))).reason, 'mail_not_configured');
    await atom.shutDown();
    assert.equal((await opened(5).catch((error) => error)).reason, 'wrong_arguments');
  });
});
