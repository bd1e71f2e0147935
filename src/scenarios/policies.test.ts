import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTimeline } from '../dossier/timeline.ts';
import { longestDeferralMs } from '../reception/deferrals.ts';
import { runCommand } from '../testing/command-line.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { startWorld, type World } from '../testing/world.ts';

const strict = 'strict@example.net';
const alsoStrict = 'also@example.net';
const careful = 'careful@spf.example';
const easy = 'easy@example.org';

let world: World<'example.net'>;
let clock: FakeClock;

const check = (when: string, action: string, score?: number) => ({
  when,
  // biome-ignore lint/suspicious/noThenProperty: a key of the file, of a plain table that nobody awaits
  then: action,
  ...(score !== undefined && { score }),
});

beforeAll(async () => {
  clock = fakeClock(Date.now());
  world = await startWorld({
    servers: {
      'example.net': {
        accounts: {
          [strict]: 'secret',
          [alsoStrict]: 'secret',
          [easy]: 'secret',
          'a@closed.example': 'secret',
          [careful]: 'secret',
        },
        domains: ['example.org'],
        settings: {
          domain: [
            { name: 'example.net', policy: 'strict' },
            { name: 'example.org' },
            { name: 'closed.example', policy: 'closed' },
            { name: 'spf.example', policy: 'spf' },
          ],
          policy: [
            { name: 'strict', checks: [check('dkim:none', 'reject')], block: ['x@blocked.example'] },
            { name: 'spf', checks: [check('spf:fail', 'reject')] },
            { name: 'closed', builtin: false, checks: [check('always', 'reject')] },
          ],
        },
      },
    },
    dns: {
      'forged.example': { MX: [[10, 'mx.forged.example']], TXT: ['v=spf1 -all'] },
      'broken.example': { MX: [[10, 'mx.broken.example']], TXT: ['v=spf1 -all'] },
    },
    clock,
  });
  world.dns.break('broken.example');
});
afterAll(() => world[Symbol.asyncDispose]());

const net = () => world.servers['example.net'];

/** The same however often it comes. */
const content = (from: string): string =>
  [
    `From: ${from}`,
    'To: undisclosed:;',
    `Message-ID: <1@${from}>`,
    'Subject: Private matters',
    '',
    'Hello.',
    '',
  ].join('\r\n');

async function receive(from: string, ...to: string[]) {
  const { replies, queueId = '' } = await net().receive({ from, to, content: content(from) });
  return { codes: to.map((recipient) => replies.get(recipient)?.code), queueId, replies };
}

describe('policies of recipients', () => {
  test('not-14: a message for one who refuses it and one who takes it is Junk for the one, and in the Inbox of the other', async () => {
    const { codes, queueId } = await receive('a@forged.example', strict, easy);
    expect(codes).toEqual([250, 250]);
    await net().settled(queueId);
    const [junk = ''] = await net().files(strict, 'Junk');
    const [inbox = ''] = await net().files(easy);
    const verdict = (text: string) =>
      /^X-Posthorn-Verdict: (.*(?:\n[ \t].*)*)/m.exec(text)?.[1]?.replace(/\s+/g, ' ');
    expect(verdict(await readFile(junk, 'latin1'))).toMatch(
      /^Junk; policy=strict; Junk by the policy "strict": no DKIM signature is valid; not refused, as another recipient takes it\. It would be in the Inbox if a DKIM signature were valid\.$/,
    );
    const text = await readFile(inbox, 'latin1');
    expect(verdict(text)).toMatch(/^Inbox; policy=default; score=2; Accepted: /);
    expect(text).not.toContain('strict');
  });

  test('a message that all recipients refuse is refused, and the dossier has the facts and what each policy said', async () => {
    const { codes, replies } = await receive('a@forged.example', strict, alsoStrict);
    expect(codes).toEqual([550, 550]);
    expect(replies.get(strict)?.lines[0]).toContain('no DKIM signature is valid');
    const events = await net().trace(alsoStrict);
    const checked = events.find(({ event }) => event === 'checked');
    expect(checked?.data).toMatchObject({
      decision: 'reject',
      facts: { version: 1, reversePath: 'a@forged.example', spf: { result: 'fail' } },
    });
    expect(JSON.stringify(checked?.data)).not.toContain('Private matters');
    expect(formatTimeline(events)).toContain('For <also@example.net>, by the policy "strict": refuse it');
  });

  test('who lets nobody in refuses at RCPT, before the message', async () => {
    const { codes, replies } = await receive('a@forged.example', 'a@closed.example', easy);
    expect(codes).toEqual([550, 250]);
    expect(replies.get('a@closed.example')).toMatchObject({ enhanced: '5.7.1' });
    const events = (await net().trace('a@closed.example')).map(({ event }) => event);
    expect(events.slice(0, 2)).toEqual(['refused', 'judged']);
  });

  test('who is refused for SPF is refused at RCPT, the others get the message', async () => {
    const { codes, replies } = await receive('a@forged.example', careful, easy);
    expect(codes).toEqual([550, 250]);
    expect(replies.get(careful)?.lines[0]).toContain('SPF is "fail" for forged.example');
    expect(formatTimeline(await net().trace(careful))).toContain('by the policy "spf": refuse it');
  });

  test('a failed look-up defers for four hours at most, where it matters, and then counts as none', async () => {
    expect((await receive('a@broken.example', easy)).codes).toEqual([250]);
    const first = await receive('a@broken.example', careful);
    expect(first.codes).toEqual([451]);
    expect(first.replies.get(careful)).toMatchObject({ enhanced: '4.4.3' });
    const [newest, ...older] = await net().trace(careful);
    const told = formatTimeline(
      [newest, ...older].flatMap((event) => (event && event.queueId === newest?.queueId ? [event] : [])),
    );
    expect(told).toContain('by the policy "spf": ask the sending server to come back later');
    expect(told).not.toMatch(/into Inbox|why: Accepted|any answer/);
    clock.advance(longestDeferralMs - 1000);
    expect((await receive('a@broken.example', careful)).codes).toEqual([451]);
    clock.advance(1000);
    await net().restart();
    const last = await receive('a@broken.example', careful);
    expect(last.codes).toEqual([250]);
    await net().settled(last.queueId);
    expect(await net().files(careful)).toHaveLength(1);
    expect(formatTimeline(await net().trace(last.queueId))).not.toContain('any answer would have led here');
  });
});

describe('posthorn policy replay', () => {
  const home = () => join(net().config.dataDir, '..');
  const posthorn = (...args: string[]) => runCommand(args, { cwd: home() });

  async function withPolicies(name: string, edit: (text: string) => string): Promise<string> {
    const text = await readFile(net().config.file, 'utf8');
    await writeFile(join(home(), name), edit(text));
    return name;
  }

  test('with the configuration that was live, nothing is different', async () => {
    const { exitCode, out } = await posthorn('policy', 'replay', '--since', '1d');
    expect(out).toMatch(/^[1-9]\d* recipients judged anew: 0 different, 0 unknown\n$/);
    expect(exitCode).toBe(0);
  });

  test('needs no certificate or key of the configuration that it reads', async () => {
    const elsewhere = await withPolicies('elsewhere.toml', (text) =>
      text.replace(/^(cert|key) = .*$/gm, '$1 = "gone.pem"'),
    );
    expect(await readFile(join(home(), elsewhere), 'utf8')).toContain('"gone.pem"');
    const { exitCode, out } = await posthorn('policy', 'replay', '--config', elsewhere, '--since', '1d');
    expect(out).toMatch(/: 0 different, 0 unknown\n$/);
    expect(exitCode).toBe(0);
  });

  test('policy show prints all of a policy, its lists too', async () => {
    const { out } = await posthorn('policy', 'show', 'strict');
    expect(out).toMatch(/^name = "strict"\n[\s\S]*^block = \["x@blocked\.example"\]\n/m);
    expect(out).toMatch(/"malware"[\s\S]*"blocked"[\s\S]*"allowed"[\s\S]*"dkim:none"[\s\S]*"dmarc:reject"/);
  });

  test('with another, it tells what would be, and what cannot be known', async () => {
    const milder = await withPolicies('milder.toml', (text) =>
      text
        .replace('when = "dkim:none"\nthen = "reject"', 'when = "dkim:none"\nthen = "junk"')
        .replace('when = "always"\nthen = "reject"', 'when = "always"\nthen = "accept"'),
    );
    const { out } = await posthorn('policy', 'replay', '--config', milder, '--since', '1d', '--json');
    const { differences } = JSON.parse(out) as {
      differences: { recipient: string; before: string; after: string }[];
    };
    const ends = differences
      .map(({ recipient, before, after }) => `${recipient}: ${before} → ${after}`)
      .sort();
    expect(ends).toEqual([
      'a@closed.example: refused → unknown',
      'also@example.net: refused → Junk',
      'strict@example.net: refused → Junk',
    ]);
  });
});

// At the end: a replay judges by what the mailboxes have now.
test("a mailbox's own policy goes before that of its domain", async () => {
  const own = (...args: string[]) =>
    runCommand(['account', 'set', easy, ...args], { cwd: join(net().config.dataDir, '..') });
  expect((await receive('b@forged.example', easy)).codes).toEqual([250]);
  expect((await own('--policy', 'strict')).out).toContain('judged by the policy "strict"');
  expect((await receive('b@forged.example', easy)).codes).toEqual([550]);
  const policy = (...args: string[]) =>
    runCommand(['policy', ...args], { cwd: join(net().config.dataDir, '..') });
  const named = { domains: ['example.net'], mailboxes: [easy] };
  expect((await policy('list')).out).toMatch(
    new RegExp(`^strict: \\d+ checks; example\\.net; mailboxes: ${easy}$`, 'm'),
  );
  expect(JSON.parse((await policy('list', '--json')).out)).toContainEqual({
    ...{ name: 'strict', checks: expect.any(Number) },
    ...named,
  });
  expect((await policy('show', 'strict')).out).toContain(`# for example.net; mailboxes: ${easy}\n[[policy]]`);
  expect(JSON.parse((await policy('show', 'strict', '--json')).out)).toMatchObject(named);
  expect((await own('--no-policy')).exitCode).toBe(0);
  expect((await receive('b@forged.example', easy)).codes).toEqual([250]);
});
