import { beforeAll, describe, expect, it } from 'vitest';
import type { Resolver } from '../dns/resolver.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { decideByDefault } from '../testing/decide.ts';
import { type Script, scriptedResolver } from '../testing/scripted-resolver.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { bodyHasher } from './body-hash.ts';
import { type CheckLimits, checkSender } from './check.ts';
import { dkimRecord, generateDkimKey } from './dkim-key.ts';
import { createSigner } from './dkim-sign.ts';
import { authenticationResults } from './results.ts';

const letter =
  'From: Sender <sender@example.com>\r\nTo: recipient@example.net\r\nSubject: Hello\r\n\r\nHello.\r\n';

const zone = {
  'example.com': { TXT: ['v=spf1 mx -all'], MX: [[10, 'mx.example.com']] },
  'mx.example.com': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
  '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR: ['mx.example.com'] },
  '9.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
} satisfies ZoneData;

interface Incoming {
  message?: string | Buffer | AsyncIterable<Buffer>;
  clientAddress?: string;
  helo?: string;
  reversePath?: string;
  data?: ZoneData;
  script?: Script;
  resolver?: Resolver;
  clock?: Clock;
  limits?: Partial<CheckLimits>;
}

function check(incoming: Incoming = {}) {
  const {
    message = letter,
    data = zone,
    script = {},
    clock = systemClock,
    limits = {},
    ...sender
  } = incoming;
  const resolver = incoming.resolver ?? scriptedResolver(data, script);
  return checkSender(
    { resolver, clock, limits },
    {
      clientAddress: '192.0.2.1',
      helo: 'mx.example.com',
      reversePath: 'sender@example.com',
      ...sender,
      message: typeof message === 'string' ? Buffer.from(message) : message,
    },
  );
}

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

describe('checkSender()', () => {
  let signature: string;
  let signedZone: ZoneData;
  beforeAll(async () => {
    const privateKeyPem = await generateDkimKey();
    const signer = createSigner({
      domain: 'example.com',
      selector: 'posthorn',
      privateKeyPem,
      clock: systemClock,
    });
    const hasher = bodyHasher();
    hasher.update(Buffer.from('Hello.\r\n'));
    signature = await signer.sign({ header: Buffer.from(letter), bodyHash: hasher.digest() });
    signedZone = { ...zone, 'posthorn._domainkey.example.com': { TXT: [dkimRecord(privateKeyPem).value] } };
  });
  const signed = (incoming: Incoming = {}) =>
    check({ message: signature + letter, data: signedZone, ...incoming });

  it('P11: finds SPF, DKIM, DMARC and iprev of an honest message, and it is accepted', async () => {
    const verdicts = await signed();
    expect(verdicts).toMatchObject({
      version: 1,
      client: { address: '192.0.2.1', helo: 'mx.example.com' },
      spf: { result: 'pass', domain: 'example.com', scope: 'mailfrom' },
      dkim: [{ result: 'pass', domain: 'example.com', selector: 'posthorn', keyBits: 2048, aligned: true }],
      dmarc: {
        result: 'pass',
        domain: 'example.com',
        policies: ['reject'],
        aligned: { spf: true, dkim: true },
      },
      iprev: { result: 'pass', name: 'mx.example.com' },
    });
    expect(decideByDefault(verdicts).decision).toBe('accept');
    expect(authenticationResults(verdicts, 'mx.example.net')).toContain('dmarc=pass (p=reject)');
    expect(JSON.parse(JSON.stringify(verdicts))).toEqual(verdicts);
  });

  it('P11: a forgery from elsewhere is refused under p=reject', async () => {
    const verdicts = await check({ clientAddress: '192.0.2.9' });
    expect(verdicts).toMatchObject({
      spf: { result: 'fail' },
      dkim: [],
      dmarc: { result: 'fail' },
      iprev: { result: 'fail', name: 'mx.example.com' },
    });
    expect(decideByDefault(verdicts).decision).toBe('reject');
  });

  it('P11: a signature saves a forwarded message', async () => {
    const verdicts = await signed({ clientAddress: '192.0.2.9' });
    expect(verdicts).toMatchObject({
      spf: { result: 'fail' },
      dmarc: { result: 'pass', aligned: { spf: false, dkim: true } },
    });
    expect(decideByDefault(verdicts).decision).toBe('accept');
  });

  it('checks the HELO name for a null reverse-path (RFC 7208 §2.4)', async () => {
    const data = { ...zone, 'mx.example.com': { ...zone['mx.example.com'], TXT: ['v=spf1 a -all'] } };
    const { spf } = await check({ reversePath: '', data });
    expect(spf).toMatchObject({ result: 'pass', scope: 'helo', domain: 'mx.example.com' });
  });

  it('knows IPv6, and IPv4 in IPv6 clothes', async () => {
    const six = await check({ clientAddress: '2001:db8::1' });
    expect([six.spf.result, six.iprev.result]).toEqual(['pass', 'pass']);
    const mapped = await check({ clientAddress: '::ffff:192.0.2.1' });
    expect([mapped.spf.result, mapped.iprev.result]).toEqual(['pass', 'pass']);
  });

  it('iprev: no PTR is a permerror (RFC 8601 §2.7.3)', async () => {
    expect((await check({ clientAddress: '198.51.100.1' })).iprev.result).toBe('permerror');
  });

  it.each([
    ['SPF', { 'example.com TXT': 'servfail' }, { spf: { result: 'temperror' } }],
    [
      'SPF, deeper',
      { 'mx.example.com': 'timeout' },
      { spf: { result: 'temperror' }, iprev: { result: 'temperror' } },
    ],
    ['DKIM', { 'posthorn._domainkey.example.com': 'servfail' }, { dkim: [{ result: 'temperror' }] }],
    [
      'DMARC',
      { '_dmarc.example.com': 'timeout' },
      { dmarc: { result: 'temperror', policies: ['none', 'quarantine', 'reject'] } },
    ],
    ['iprev', { '1.2.0.192.in-addr.arpa': 'servfail' }, { iprev: { result: 'temperror' } }],
  ] satisfies [string, Script['failures'], object][])(
    'a DNS failure is a temperror: %s',
    async (_, failures, expected) => {
      expect(await signed({ script: { failures } })).toMatchObject(expected);
    },
  );

  it('P11: a DNS failure that could change the outcome defers, another does not', async () => {
    const decision = async (incoming: Incoming) =>
      decideByDefault(await signed({ clientAddress: '192.0.2.9', ...incoming })).decision;
    expect(await decision({ script: { failures: { 'posthorn._domainkey.example.com': 'servfail' } } })).toBe(
      'defer',
    );
    expect(await decision({ script: { failures: { 'example.com TXT': 'servfail' } } })).toBe('accept');
    expect(await decision({ script: { failures: { '_dmarc.example.com': 'servfail' } } })).toBe('accept');
  });

  it('keeps sp and np open where the author domain could not be asked about', async () => {
    const { dmarc } = await check({
      message: letter.replace('sender@example.com', 'sender@sub.example.com'),
      data: { ...zone, '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject'] } },
      script: { failures: { 'sub.example.com': 'servfail' } },
      clientAddress: '192.0.2.9',
    });
    expect(dmarc).toMatchObject({
      result: 'temperror',
      policyDomain: 'example.com',
      policies: ['quarantine', 'reject'],
    });
  });

  it.each([
    ['no From', 'To: a@example.net\r\n\r\n', 'the message has no From field'],
    [
      'several From fields',
      'From: a@example.com\r\nFrom: b@example.com\r\n\r\n',
      'the message has 2 From fields',
    ],
    [
      'several author domains',
      'From: a@example.com, b@example.net\r\n\r\n',
      'From holds addresses of 2 domains',
    ],
    [
      'several domains in a broken From',
      'From: a@example.com <b@example.net\r\n\r\n',
      'From holds addresses of 2 domains',
    ],
    ['a From without address', 'From: Alice\r\n\r\n', 'From holds no address'],
    ['an empty group', 'From: undisclosed:;\r\n\r\n', 'From holds no address'],
    ['an empty message', '', 'the message has no From field'],
  ])('DMARC is a permerror, and the message junk, with %s', async (_, message, reason) => {
    const verdicts = await check({ message });
    expect(verdicts.dmarc).toMatchObject({ result: 'permerror', domain: '', reason });
    expect(decideByDefault(verdicts).decision).toBe('junk');
  });

  it.each([
    ['several addresses of one domain', 'From: a@example.com, "B" <b@EXAMPLE.com>\r\n\r\n'],
    ['a group (RFC 6854)', 'From: team: a@example.com;\r\n\r\n'],
    ['a From that is not quite grammar', 'From: Alice, Inc. <a@example.com>\r\n\r\n'],
    ['white space before the colon', 'From : a@example.com\r\n\r\n'],
  ])('DMARC finds the author domain of %s', async (_, message) => {
    expect((await check({ message })).dmarc).toMatchObject({ result: 'pass', domain: 'example.com' });
  });

  it('reads the message as a stream, in chunks of any size', async () => {
    const message = signature + letter;
    expect((await signed({ message: chunks(...message) })).dkim[0]?.result).toBe('pass');
    expect(
      (await signed({ message: chunks(message.slice(0, 50), '', message.slice(50)) })).dkim[0]?.result,
    ).toBe('pass');
  });

  it('does not read the body of a message without signatures, and closes its source', async () => {
    const seen: string[] = [];
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from(letter);
        seen.push('body');
        yield Buffer.from('more');
      } finally {
        seen.push('closed');
      }
    }
    await check({ message: source() });
    expect(seen).toEqual(['closed']);
  });

  it('rejects when the message cannot be read', async () => {
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from(signature + letter.slice(0, -10));
      throw new Error('disk gone');
    }
    await expect(signed({ message: source() })).rejects.toThrow('disk gone');
  });

  it('ends in temperrors when the time is over', async () => {
    let ring = () => {};
    const clock: Clock = {
      now: () => 0,
      after(_, action) {
        ring = action;
        return () => {};
      },
    };
    const silent: Resolver = { resolve: () => new Promise(() => setImmediate(() => ring())) };
    const verdicts = await signed({ clock, resolver: silent });
    const results = [verdicts.spf, ...verdicts.dkim, verdicts.dmarc, verdicts.iprev].map(
      ({ result }) => result,
    );
    expect(results).toEqual(['temperror', 'temperror', 'temperror', 'temperror']);
  });

  it('ends in temperrors when the look-ups are used up, and counts them', async () => {
    const verdicts = await signed({ limits: { lookUps: 3, dmarcLookUps: 1 } });
    // Three, the policy, and the HELO name.
    expect(verdicts.lookUps).toBe(5);
    const limitOf = (limit: number) => expect.stringContaining(`limit of ${limit}`);
    expect(verdicts.spf).toMatchObject({ result: 'temperror', reason: limitOf(3) });
    expect(verdicts.dmarc).toMatchObject({ policies: ['reject'] });
    const { dmarc } = await signed({ limits: { dmarcLookUps: 0 } });
    expect(dmarc).toMatchObject({ result: 'temperror', reason: limitOf(0) });
  });

  describe('asks SPF about the HELO name by itself (RFC 7208 §2.3)', () => {
    const helo = { 'mx.example.com': { ...zone['mx.example.com'], TXT: ['v=spf1 a -all'] } };

    it('and says so apart, while DMARC goes by the sender', async () => {
      const found = await check({ data: { ...zone, ...helo }, clientAddress: '192.0.2.9' });
      expect(found.spf).toMatchObject({ result: 'fail', scope: 'mailfrom', domain: 'example.com' });
      expect(found.spfHelo).toMatchObject({
        result: 'fail',
        scope: 'helo',
        domain: 'mx.example.com',
        record: 'v=spf1 a -all',
      });
      const forged = await check({ data: { ...zone, ...helo }, reversePath: 'a@evil.example' });
      expect(forged).toMatchObject({ spfHelo: { result: 'pass' }, dmarc: { result: 'fail' } });
    });

    it.each([
      ['for the null sender, of whom it is said already', { reversePath: '' }],
      ['where both are the same domain', { helo: 'Example.COM.' }],
      ['of an address', { helo: '[192.0.2.1]' }],
      ['of an address without brackets', { helo: '192.0.2.1' }],
      ['of one label', { helo: 'mx' }],
      ['of what is no name', { helo: 'a b.example' }],
      ['of a name that is too long', { helo: `${'x.'.repeat(300)}example` }],
    ])('but not %s', async (_, incoming) => {
      const resolver = scriptedResolver(zone);
      const { spfHelo } = await check({ ...incoming, resolver });
      expect(spfHelo).toBeUndefined();
      const texts = resolver.questions.filter(({ name, type }) => type === 'TXT' && !name.startsWith('_'));
      expect(texts).toHaveLength(1);
    });

    it('with look-ups of its own', async () => {
      const { spf, spfHelo } = await check({ limits: { heloLookUps: 0 } });
      expect(spf).toMatchObject({ result: 'pass' });
      expect(spfHelo).toMatchObject({ result: 'temperror', reason: expect.stringContaining('limit of 0') });
    });
  });

  it('has a failure of SPF explained where it may say who asks', async () => {
    const why = { 'why.example.com': { TXT: ['%{r} hears from %{d} at %{t}: not %{c}'] } };
    const data = { ...zone, ...why, 'example.com': { TXT: ['v=spf1 -all exp=why.%{d}'] } };
    const clock = { ...systemClock, now: () => 1_700_000_000_500 };
    const message = Buffer.from(letter);
    const sender = { clientAddress: '192.0.2.9', helo: 'x', reversePath: 'a@example.com', message };
    const parts = { resolver: scriptedResolver(data), clock };
    const { spf } = await checkSender({ ...parts, hostname: 'mx.example.net' }, sender);
    expect(spf.explanation).toBe('mx.example.net hears from example.com at 1700000000: not 192.0.2.9');
    expect((await checkSender(parts, sender)).spf).not.toHaveProperty('explanation');
  });

  describe('P11: who forges a sender cannot make DMARC fail to be looked up', () => {
    const forged = { clientAddress: '192.0.2.9', reversePath: 'a@evil.example' };
    const refused = { dmarc: { result: 'fail', policies: ['reject'] } };
    const chain = Array.from({ length: 50 }, (_, index) => {
      const instance = 50 - index;
      const tags = `i=${instance}; a=rsa-sha256; d=d${instance}.example; s=s; b=AAAA`;
      return `ARC-Seal: ${tags}; cv=${instance === 1 ? 'none' : 'pass'}\r\nARC-Message-Signature: ${tags}; h=from; bh=${'A'.repeat(43)}=\r\nARC-Authentication-Results: i=${instance}; x; dmarc=pass\r\n`;
    }).join('');

    it('by questions without end', async () => {
      const mx = { MX: Array.from({ length: 10 }, (_, n) => [n, `mx${n}.evil.example`] as const) };
      const hosts = Array.from({ length: 10 }, (_, n) => [`mx${n}.evil.example`, { A: ['203.0.113.1'] }]);
      const data = {
        ...zone,
        'evil.example': { TXT: [`v=spf1 ${'mx '.repeat(9)}ptr -all`], ...mx },
        ...Object.fromEntries(hosts),
      };
      const signatures = Array.from(
        { length: 10 },
        (_, n) =>
          `DKIM-Signature: v=1; a=rsa-sha256; d=e${n}.example; s=s; h=from; bh=${'A'.repeat(43)}=; b=AA==\r\n`,
      ).join('');
      const verdicts = await check({ ...forged, data, message: chain + signatures + letter });
      expect(verdicts).toMatchObject(refused);
      expect(verdicts.lookUps).toBeLessThanOrEqual(150 + 100 + 90);
    });

    it('by answers that do not come', async () => {
      let ring = () => {};
      const clock: Clock = {
        now: () => 0,
        after(_, action) {
          ring = action;
          return () => {};
        },
      };
      const answering = scriptedResolver(zone);
      const resolver: Resolver = {
        resolve: (name, type, signal) =>
          name.endsWith('example.com') || name === '_dmarc.com'
            ? answering.resolve(name, type, signal)
            : new Promise(() => setTimeout(() => ring(), 20)),
      };
      const verdicts = await check({ ...forged, resolver, clock, message: chain + letter });
      expect(verdicts).toMatchObject({ ...refused, spf: { result: 'temperror' } });
      expect(decideByDefault(verdicts).decision).not.toBe('accept');
    });
  });
});
