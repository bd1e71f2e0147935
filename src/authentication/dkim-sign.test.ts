import { beforeAll, describe, expect, it } from 'vitest';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { bodyHasher } from './body-hash.ts';
import { checkSender } from './check.ts';
import { type DkimKeyType, dkimRecord, generateDkimKey } from './dkim-key.ts';
import { createSigner, type DkimSigner, joinSigners, oversignedFields } from './dkim-sign.ts';

const letter = [
  'From: Alice <alice@example.com>',
  'To: Bob <bob@example.net>,',
  '\tCarol <carol@example.net>',
  'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
  'Date: Mon, 02 Mar 2026 10:00:00 +0000',
  'Message-ID: <1@example.com>',
  'List-Unsubscribe: <https://example.com/u>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  '',
  'Hello  Bob, \t',
  '',
  'good  bye',
  '',
  '',
].join('\r\n');

const clock = { ...systemClock, now: () => Date.UTC(2026, 2, 2, 10) };

async function sign(signer: DkimSigner, message: string): Promise<string> {
  const bodyStart = message.indexOf('\r\n\r\n') + 4;
  const hasher = bodyHasher();
  hasher.update(Buffer.from(message.slice(bodyStart)));
  return signer.sign({ header: Buffer.from(message.slice(0, bodyStart)), bodyHash: hasher.digest() });
}

describe.each<DkimKeyType>(['rsa', 'ed25519'])('createSigner() with an %s key', (type) => {
  let signer: DkimSigner;
  let record: string;
  beforeAll(async () => {
    const privateKeyPem = await generateDkimKey(type);
    signer = createSigner({ domain: 'example.com', selector: 'posthorn', privateKeyPem, clock });
    record = dkimRecord(privateKeyPem).value;
  });

  it('not-16: names From, Subject and the one-click fields once more than they are there', async () => {
    const [, names = ''] = /\bh=([^;]*);/.exec(await sign(signer, letter)) ?? [];
    const signed = names.replace(/\s/g, '').toLowerCase().split(':');
    const countOf = (name: string) => signed.filter((each) => each === name).length;
    for (const name of ['from', 'subject', 'list-unsubscribe', 'list-unsubscribe-post'])
      expect(countOf(name)).toBe(2);
    for (const name of ['cc', 'reply-to']) expect(countOf(name)).toBe(1);
  });

  async function verify(message: string) {
    const resolver = scriptedResolver({ 'posthorn._domainkey.example.com': { TXT: [record] } });
    const sender = { clientAddress: '192.0.2.1', helo: 'mail.example.com', reversePath: '' };
    const verdicts = await checkSender({ resolver, clock }, { ...sender, message: Buffer.from(message) });
    return verdicts.dkim[0]?.result;
  }

  it('M9: signs so that a verifier of other origin accepts it', async () => {
    expect(await verify((await sign(signer, letter)) + letter)).toBe('pass');
  });

  it('not-16: survives a relay that refolds the header and drops white space', async () => {
    const signed = (await sign(signer, letter)) + letter;
    const relayed = signed
      .replace('Subject: ', 'SUBJECT:   ')
      .replace(',\r\n\tCarol', ', Carol')
      .replace('Hello  Bob, \t', 'Hello Bob,')
      .replace(/^/, 'Received: from a by b; Mon, 02 Mar 2026 10:00:01 +0000\r\n');
    expect(await verify(`${relayed}\r\n\r\n`)).toBe('pass');
  });

  it.each(oversignedFields)('not-16: breaks when somebody adds another %s', async (name) => {
    const signed = (await sign(signer, letter)) + letter;
    expect(await verify(`${name}: added\r\n${signed}`)).toBe('fail');
  });

  it('breaks when the body is changed', async () => {
    const signed = (await sign(signer, letter)) + letter;
    expect(await verify(signed.replace('good', 'bad'))).toBe('fail');
  });

  it('signs an empty body, no body, and a header of UTF-8', async () => {
    for (const message of [
      'From: a@example.com\r\n\r\n',
      'From: Jürgen <a@example.com>\r\nSubject: Grüße\r\n\r\n',
    ]) {
      expect(await verify((await sign(signer, message)) + message)).toBe('pass');
    }
  });

  it('signs fields that occur several times, from the last one up', async () => {
    const message = `To: a@example.net\r\nTo: b@example.net\r\nResent-To: c@d\r\nResent-To: e@f\r\n${letter}`;
    const signed = (await sign(signer, message)) + message;
    expect(await verify(signed)).toBe('pass');
    expect(await verify(signed.replace('Resent-To: c@d', 'Resent-To: x@d'))).toBe('fail');
  });
});

describe('DKIM-Signature', () => {
  const signerOf = (privateKeyPem: string, domain = 'example.com') =>
    createSigner({ domain, selector: 'posthorn', privateKeyPem, clock });

  it('M9: is relaxed/relaxed, rsa-sha256, of the time of the clock, without l=', async () => {
    const signer = signerOf(await generateDkimKey());
    const field = await sign(signer, letter);
    expect(signer.algorithm).toBe('rsa-sha256');
    expect(field).toMatch(
      /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=example\.com;\s+s=posthorn;/,
    );
    expect(field).toContain(`t=${clock.now() / 1000};`);
    expect(field).not.toMatch(/\sl=/);
  });

  it('not-16: names every oversigned field once more than there are', async () => {
    const field = await sign(signerOf(await generateDkimKey('ed25519')), letter);
    const names = /\sh=([^;]*);/.exec(field)?.[1]?.replace(/\s/g, '').split(':') ?? [];
    for (const name of oversignedFields) {
      const present = letter.match(new RegExp(`^${name}:`, 'gim'))?.length ?? 0;
      expect(names.filter((other) => other === name)).toHaveLength(present + 1);
    }
  });

  it('has no line over 78 characters and ends with CRLF', async () => {
    const field = await sign(signerOf(await generateDkimKey()), letter);
    expect(field.endsWith('\r\n')).toBe(true);
    expect(Math.max(...field.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });
});

describe('joinSigners()', () => {
  it('P11: signs with every key of the domain, each so that it verifies, and leads with RSA', async () => {
    const keys = await Promise.all((['ed25519', 'rsa'] as const).map((type) => generateDkimKey(type)));
    const [ed, rsa] = keys.map((privateKeyPem, index) =>
      createSigner({ domain: 'example.com', selector: `s${index}`, privateKeyPem, clock }),
    );
    if (ed === undefined || rsa === undefined) throw new Error('two keys were made');
    const signer = joinSigners([ed, rsa]);
    expect(signer).toMatchObject({
      selector: 's1',
      algorithm: 'rsa-sha256',
      also: [{ selector: 's0', algorithm: 'ed25519-sha256' }],
    });
    const resolver = scriptedResolver(
      Object.fromEntries(
        keys.map((key, index) => [`s${index}._domainkey.example.com`, { TXT: [dkimRecord(key).value] }]),
      ),
    );
    const message = Buffer.from((await sign(signer, letter)) + letter);
    const sender = { clientAddress: '192.0.2.1', helo: 'mail.example.com', reversePath: '' };
    const { dkim } = await checkSender({ resolver, clock }, { ...sender, message });
    expect(dkim.map(({ result, selector }) => `${selector} ${result}`)).toEqual(['s0 pass', 's1 pass']);
  });
});
