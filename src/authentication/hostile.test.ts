/** What hostile messages can make the checks do: nothing that throws, nothing unbounded, nothing that takes long. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideByDefault } from '../testing/decide.ts';
import { scriptedResolver } from '../testing/scripted-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { checkSender } from './check.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { authenticationResults } from './results.ts';
import { signatureLimits } from './signed-header.ts';

const resolver = scriptedResolver({
  'example.com': { TXT: ['v=spf1 a mx include:%{l}.example.com exists:%{i}.%{h} -all'], A: ['192.0.2.1'] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] },
  's._domainkey.example.com': { TXT: [dkimRecord(await generateDkimKey('ed25519')).value] },
});

function check(
  message: string | Buffer,
  sender: Partial<Record<'clientAddress' | 'helo' | 'reversePath', string>> = {},
) {
  return checkSender(
    { resolver, clock: systemClock },
    {
      clientAddress: '192.0.2.9',
      helo: 'client.example',
      reversePath: 'a@example.com',
      ...sender,
      message: Buffer.from(message),
    },
  );
}

const signatureOf = (extra: string): string =>
  `DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; h=from${extra}; bh=${'A'.repeat(43)}=; b=AA==\r\n`;

describe('checkSender() with garbage', () => {
  const tags = fc.constantFrom(
    'v=1',
    'a=rsa-sha256',
    'a=ed25519-sha256',
    'd=example.com',
    's=s',
    'h=from:to',
    'l=0',
    'b=',
    'bh=x',
    'x=1',
    '=',
    'i=@',
  );
  const signature = fc.array(tags).map((list) => `DKIM-Signature: ${list.join('; ')}\r\n`);
  const garbage = fc.string({ unit: 'binary' }).map((text) => text.slice(0, 100));
  const from = fc.string({
    unit: fc.constantFrom('"', '<', '>', '@', ',', ':', ';', '(', 'example.com', 'a', ' ', '\\'),
  });
  const parts = fc.oneof(
    signature,
    from.map((text) => `From: ${text}\r\n`),
    garbage,
    fc.constant('\r\n'),
  );

  it('never throws, and its verdicts can be decided and written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(parts),
        garbage,
        garbage,
        garbage,
        async (message, clientAddress, helo, reversePath) => {
          const address = clientAddress.length % 2 ? '192.0.2.1' : clientAddress;
          const verdicts = await check(message.join(''), { clientAddress: address, helo, reversePath });
          expect(decideByDefault(verdicts).rule).not.toBe('');
          expect(authenticationResults(verdicts, 'mx.example.net')).toMatch(/^[\t\r\n\x20-\x7e]+$/);
        },
      ),
    );
  });

  it('never throws for random octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (octets) => void (await check(Buffer.from(octets)))),
    );
  });
});

/** Far above what any of these takes on a busy machine, far below what the square of its size would. */
const linearMs = 8000;

describe('checkSender() under load', () => {
  const from = 'From: a@example.com\r\n';
  const megabyte = 1024 * 1024;

  it(`checks ${signatureLimits.signatures} signatures of 5,000 and says so`, async () => {
    const { dkim } = await check(`${signatureOf('').repeat(5000)}${from}\r\n`);
    expect(dkim).toHaveLength(signatureLimits.signatures + 1);
    expect(dkim.at(-1)).toMatchObject({
      result: 'policy',
      reason: '4990 signatures not checked: only 10 signatures are checked',
    });
  });

  it.each([
    [
      'signatureOctets',
      `${signatureOf(':to'.repeat(signatureLimits.signatureOctets / 3))}${from}\r\n`,
      'the signature field is too long',
    ],
    [
      'signedNames',
      `${signatureOf(':x'.repeat(signatureLimits.signedNames))}${from}\r\n`,
      'names too many fields',
    ],
    [
      'signedOctets',
      `${signatureOf(':x')}${from}X: ${'x'.repeat(signatureLimits.signedOctets)}\r\n\r\n`,
      'too long',
    ],
  ])('does not check a signature beyond %s', async (_, message, reason) => {
    const { dkim } = await check(message);
    expect(dkim).toMatchObject([{ result: 'policy', reason: expect.stringContaining(reason) }]);
  });

  it('does not let an unchecked signature in because another one signs it', async () => {
    const signatures = signatureOf(':dkim-signature'.repeat(20)).repeat(12);
    expect((await check(`${signatures}${from}\r\n`)).dkim).toHaveLength(signatureLimits.signatures + 1);
  });

  it('gives up a header section beyond its limit', async () => {
    const verdicts = await check(`${from}${'X: y\r\n'.repeat(megabyte / 4)}\r\n`);
    expect(verdicts.dmarc).toMatchObject({
      result: 'permerror',
      reason: expect.stringContaining('header section is longer'),
    });
  });

  it.each([
    ['short fields', 'a:\n'],
    ['short lines', 'a:\n \n \n'],
    ['lines that are no fields', 'x\n'],
    ['white space', `X:${' '.repeat(1000)}x\r\n`],
    ['From fields', 'From: a@b\r\n'],
    ['signatures', 'DKIM-Signature:\r\n'],
    [
      'ARC sets',
      'ARC-Seal: i=1; cv=none\r\nARC-Message-Signature: i=1\r\nARC-Authentication-Results: i=1\r\n',
    ],
  ])('takes no long time for 1 MB of %s', async (_, unit) => {
    // Just within the limit of the header section.
    const header = unit.repeat((megabyte - 1024) / unit.length);
    const signature = signatureOf(':from:x:a:arc-seal:arc-message-signature');
    expect(await timeOf(() => check(`${signature}${from}${header}\r\nbody\r\n`))).toBeLessThan(linearMs);
  });

  it.each([
    ['quotes', '"'],
    ['at signs', 'a@'],
    ['brackets', '<a@b.example>,'],
    ['comments', '('],
    ['white space', ' '],
    ['folds', '\r\n '],
  ])('takes no long time for a signed From of 200 kB of %s', async (_, unit) => {
    const value = unit.repeat(200_000 / unit.length);
    expect(await timeOf(() => check(`${signatureOf('')}From: x${value}y\r\n\r\n`))).toBeLessThan(linearMs);
  });

  it.each([
    ['lines that end in white space', 'a \r\n'],
    ['one line', 'a'],
    ['white space', ' '],
    ['line ends', '\r\n'],
    ['bare line feeds', '\n'],
  ])('takes no long time for a body of 40 MB of %s, signed ten times by ten lengths', async (_, unit) => {
    const size = 40 * megabyte;
    const signatures = Array.from({ length: signatureLimits.signatures }, (_, number) =>
      signatureOf(
        `; c=${number % 2 ? 'simple' : 'relaxed'}/${number % 3 ? 'relaxed' : 'simple'}; l=${size / 2 - number}`,
      ),
    );
    const message = `${signatures.join('')}${from}\r\n${unit.repeat(size / unit.length)}`;
    expect(await timeOf(() => check(message))).toBeLessThan(linearMs);
  });

  it('takes no long time for signatures that demand as much as they may', async () => {
    const names = ':x'.repeat(signatureLimits.signedNames - 1);
    const spaces = `; n=${`x${' '.repeat(255)}`.repeat(40)}`;
    const fields = `X: ${'y\r\n '.repeat(15)}\r\n`.repeat(signatureLimits.signedNames);
    const message = `${signatureOf(names + spaces).repeat(signatureLimits.signatures)}${from}${fields}\r\n`;
    expect((await check(message)).dkim.map(({ result }) => result)).not.toContain('policy');
    expect(await timeOf(() => check(message))).toBeLessThan(linearMs);
  });
});

describe('checkSender() serves others meanwhile', () => {
  const from = 'From: a@example.com\r\n';
  /** In the thread's own time: a message hashed in one go takes ten times as long on any machine. */
  const longestTurnMs = 100;

  it.each([
    [
      'a body of 50 MB, signed in every way',
      () => `${everyWay()}${from}\r\n${'a line  of text \r\n'.repeat(3_000_000)}`,
    ],
    ['1,000 signatures', () => `${signatureOf('').repeat(1000)}${from}\r\nbody\r\n`],
    [
      'ten signatures over as much as they may',
      () => `${signatureOf(':x').repeat(10)}${from}X: ${'y '.repeat(100_000)}\r\n\r\n`,
    ],
    ['10 MB of header', () => `${signatureOf(':x')}${from}${'X: y\r\n'.repeat(1_700_000)}\r\n`],
    ['50 ARC sets as long as they may be', () => `${arcSets(50, 1200)}${from}\r\n`],
  ])('%s', async (_, message) => {
    const octets = Buffer.from(message());
    await check('From: a@example.com\r\n\r\n');
    expect(await longestTurn(() => check(octets))).toBeLessThan(longestTurnMs);
  });

  const everyWay = () =>
    ['relaxed/relaxed', 'relaxed/simple', 'simple/simple'].map((c) => signatureOf(`; c=${c}`)).join('');
});

/** Sets that make a chain, of true form, with `padding` octets each in their results and their seal. */
function arcSets(count: number, padding: number): string {
  const hash = `${'A'.repeat(43)}=`;
  const set = (instance: number) => {
    const tags = `i=${instance}; a=ed25519-sha256; d=example.com; s=s; b=AA==`;
    return [
      `ARC-Seal: ${tags}; cv=${instance === 1 ? 'none' : 'pass'}; n=${'x'.repeat(padding)}`,
      `ARC-Message-Signature: ${tags}; c=relaxed/relaxed; h=from; bh=${hash}`,
      `ARC-Authentication-Results: i=${instance}; mx; spf=pass reason="${'y'.repeat(padding)}"\r\n`,
    ].join('\r\n');
  };
  return Array.from({ length: count }, (_, index) => set(count - index)).join('');
}

describe('checkSender() with hostile ARC sets', () => {
  it.each([
    ['60 sets', arcSets(60, 1), 'there are more than 50 ARC sets'],
    ['sets of a megabyte', arcSets(50, 10_000), 'the ARC fields are longer than 262144 octets'],
    ['sets that are signed by nobody', arcSets(50, 1), /^set 50: arc-message-signature: the body is not/],
    ['the same set a hundred times', arcSets(1, 1).repeat(100), 'there are more than 50 ARC sets'],
  ])('%s', async (_, sets, reason) => {
    const { arc } = await check(`${sets}From: a@example.com\r\n\r\n`);
    expect(arc).toMatchObject({ result: 'fail', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(arc).length).toBeLessThan(20_000);
  });
});

async function longestTurn(action: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let turnedAt = threadMs();
  let isOver = false;
  const turn = () => {
    const now = threadMs();
    longest = Math.max(longest, now - turnedAt);
    turnedAt = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await action();
  isOver = true;
  return Math.max(longest, threadMs() - turnedAt);
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function timeOf(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
