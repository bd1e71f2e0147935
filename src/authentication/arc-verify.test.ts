import { createHash, createPrivateKey, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { arcLimits } from './arc-sets.ts';
import { checkSender } from './check.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { authenticationResults } from './results.ts';

const key = await generateDkimKey('ed25519');
const keys = { TXT: [dkimRecord(key).value] };
const zone = { 's._domainkey.list.example': keys, 's._domainkey.other.example': keys };
const letter = 'From: a@example.com\r\nSubject: Hello\r\n';
const body = 'Hello.\r\n';

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const signed = (text: string) => sign(null, sha256(text), createPrivateKey(key)).toString('base64');

interface Sealing {
  instance: number;
  /** Of the sets before, the oldest first. */
  before?: string;
  domain?: string;
  cv?: string;
  subject?: string;
}

/** One true ARC set, as a server would put before a message; all its fields are in canonical form already. */
function seal({ instance, before = '', domain = 'list.example', cv, subject = 'Hello' }: Sealing): string {
  const results = `arc-authentication-results:i=${instance}; mx.${domain}; dmarc=pass header.from=example.com`;
  const tags = `i=${instance}; a=ed25519-sha256; d=${domain}; s=s;`;
  const hash = sha256(body).toString('base64');
  const unsigned = `arc-message-signature:${tags} c=relaxed/relaxed; h=from:subject; bh=${hash}; b=`;
  const message = unsigned + signed(`from:a@example.com\r\nsubject:${subject}\r\n${unsigned}`);
  const unsealed = `arc-seal:${tags} cv=${cv ?? (instance === 1 ? 'none' : 'pass')}; b=`;
  const lines = `${results}\r\n${message}\r\n`;
  return `${lines}${unsealed}${signed(before + lines + unsealed)}\r\n`;
}

/** A chain of true sets; the latest on top, as on the road. */
function chain(...subjects: string[]): string {
  let before = '';
  const sets = subjects.map((subject, index) => {
    const set = seal({ instance: index + 1, before, subject });
    before += set;
    return set;
  });
  return sets.toReversed().join('');
}

async function check(header: string, failures: Record<string, 'servfail'> = {}) {
  const verdicts = await checkSender(
    { resolver: scriptedResolver(zone, { failures }), clock: systemClock },
    {
      clientAddress: '192.0.2.1',
      helo: 'client.example',
      reversePath: '',
      message: Buffer.from(`${header}\r\n${body}`),
    },
  );
  const { arc } = verdicts;
  if (arc === undefined) throw new Error('ARC was not looked at');
  return { ...verdicts, arc };
}

const resultsIn = (verdicts: Awaited<ReturnType<typeof check>>) =>
  /\barc=[\s\S]*/
    .exec(authenticationResults(verdicts, 'mx.example.net').replace(/\r\n\s+/g, ' '))?.[0]
    .trim();

describe('startArc()', () => {
  test('a message without ARC fields has no chain, and nothing is written of it', async () => {
    const verdicts = await check(letter);
    expect(verdicts.arc).toMatchObject({ result: 'none', sets: [] });
    expect(resultsIn(verdicts)).toBeUndefined();
  });

  test('a whole chain passes, with what each of its sets says, the latest first', async () => {
    const verdicts = await check(chain('Hello', 'Hello') + letter);
    expect(verdicts.arc).toMatchObject({
      result: 'pass',
      instances: 2,
      oldestPass: 0,
      reason: 'sealed by list.example, then list.example',
      sets: [
        { instance: 2, cv: 'pass', seal: { result: 'pass', domain: 'list.example', keyBits: 256 } },
        {
          instance: 1,
          cv: 'none',
          messageSignature: { result: 'pass', selector: 's', keyRecord: keys.TXT[0] },
          results: 'mx.list.example; dmarc=pass header.from=example.com',
        },
      ],
    });
    expect(resultsIn(verdicts)).toBe('arc=pass (i=2) header.oldest-pass=0 smtp.remote-ip=192.0.2.1');
  });

  test('the message may have changed before the last set: oldest-pass says since when it has not', async () => {
    const verdicts = await check(chain('Before', 'Between', 'Hello', 'Hello') + letter);
    expect(verdicts.arc).toMatchObject({ result: 'pass', oldestPass: 3 });
    expect(resultsIn(verdicts)).toContain('header.oldest-pass=3');
  });

  test('a message that changed after the last set fails', async () => {
    const verdicts = await check(chain('Hello', 'Before') + letter);
    expect(verdicts.arc).toMatchObject({
      result: 'fail',
      reason: expect.stringMatching(/^set 2: arc-message-signature: the signature does not belong/),
      sets: [{ messageSignature: { result: 'fail' } }, { messageSignature: { result: 'pass' } }],
    });
    expect(resultsIn(verdicts)).toMatch(/^arc=fail reason="set 2: /);
  });

  test('a set in the middle that was sealed for another chain fails', async () => {
    const first = seal({ instance: 1 });
    const second = seal({ instance: 2, before: seal({ instance: 1, domain: 'other.example' }) });
    const third = seal({ instance: 3, before: first + second });
    expect((await check(third + second + first + letter)).arc).toMatchObject({
      result: 'fail',
      reason: expect.stringMatching(/^set 2: arc-seal: /),
    });
  });

  test('a chain that was marked as broken stays broken, and is known as such', async () => {
    const first = seal({ instance: 1 });
    const second = seal({ instance: 2, before: first, cv: 'fail' });
    expect((await check(second + first + letter)).arc).toMatchObject({ result: 'fail', markedFailed: true });
  });

  test('a key that cannot be looked up leaves the chain open, unless it is broken anyway', async () => {
    const failures = { 's._domainkey.list.example': 'servfail' } as const;
    expect((await check(chain('Hello') + letter, failures)).arc).toMatchObject({ result: 'temperror' });
    const other = seal({ instance: 2, domain: 'other.example', before: 'x' });
    expect((await check(other + seal({ instance: 1 }) + letter, failures)).arc.result).toBe('fail');
  });

  test('a chain of 50 passes, one of 60 fails without a look-up', async () => {
    const names = Array.from({ length: 60 }, () => 'Hello');
    const longest = await check(chain(...names.slice(0, arcLimits.sets)) + letter);
    expect(longest.arc).toMatchObject({ result: 'pass', instances: 50 });
    const tooLong = await check(chain(...names) + letter);
    expect(tooLong.arc).toMatchObject({ result: 'fail', reason: 'there are more than 50 ARC sets' });
    expect(tooLong.lookUps).toBeLessThan(longest.lookUps);
  });
});
