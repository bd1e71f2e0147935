import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseKeyPair } from '../net/key-pair.ts';
import { acmeStage } from '../testing/acme-stage.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

describe('AcmeKeeper', () => {
  it('has a certificate issued, shows it, and keeps it for its owner only', async () => {
    const { start, certificates, own, dataDir, ca, shown } = await acmeStage({ mood: { refusedNonces: 2 } });
    await start();
    expect(certificates.known()).toMatchObject([
      { names: ['mx.example.com'], issuer: 'Test CA', origin: 'acme' },
    ]);
    expect(await own()).toMatchObject({ failures: 0, certificate: { names: ['mx.example.com'] } });
    for (const file of ['account.json', 'state.json', 'mx.example.com.pem'])
      expect((await stat(join(dataDir, 'acme', file))).mode & 0o777).toBe(0o600);
    expect(shown).toEqual({ all: 1, gone: 1 });
    expect(ca.asked.findLast(({ path }) => path === '/new-account')?.payload).toEqual({
      termsOfServiceAgreed: true,
      contact: ['mailto:ops@example.com'],
    });
  });

  it('renews after two thirds of its life, some time earlier by chance, with the same key', async () => {
    const { start, pass, ca, certificates } = await acmeStage();
    await start();
    const [before] = certificates.known();
    await pass(57 * dayMs);
    expect(ca.count('/new-order')).toBe(1);
    for (let hours = 0; hours < 24 && ca.count('/new-order') === 1; hours += 1) await pass(60 * minuteMs);
    expect(ca.count('/new-order')).toBe(2);
    const [after] = certificates.known();
    expect(after?.notAfter).toBeGreaterThan(before?.notAfter ?? Infinity);
    expect(after?.spkiSha256).toBe(before?.spkiSha256);
  });

  it('renews when the authority advises, and says which certificate it replaces', async () => {
    const advice = { start: '2026-01-10T00:00:00Z', end: '2026-01-12T00:00:00Z', retryAfter: '21600' };
    const { start, pass, ca, own } = await acmeStage({ mood: { advice } });
    await start();
    await pass(60 * minuteMs);
    expect(await own()).toMatchObject({ renewAt: Date.UTC(2026, 0, 11), advice: {} });
    for (let hours = 0; hours < 24 * 6 - 8; hours += 1) await pass(60 * minuteMs);
    expect(ca.asked.findLast(({ path }) => path === '/new-order')?.payload).toMatchObject({
      replaces: expect.stringMatching(/^[\w-]+\.[\w-]+$/),
    });
    expect(ca.count('/new-order')).toBe(2);
    const questions = ca.asked.filter(({ path }) => path.startsWith('/renewal/')).length;
    expect(questions).toBeLessThan(30); // every six hours
  });

  it('heeds no advice to renew what is a few hours old: there would be no end of it', async () => {
    const advice = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    const { start, pass, ca } = await acmeStage({ mood: { advice } });
    await start();
    for (let hours = 0; hours < 72; hours += 1) await pass(60 * minuteMs);
    expect(ca.count('/new-order')).toBeLessThanOrEqual(4);
    expect(ca.count('/new-order')).toBeGreaterThanOrEqual(3);
  });

  it('asks for no advice about a certificate that is over (RFC 9773 §4.3)', async () => {
    const advice = { start: '2026-03-10T00:00:00Z', end: '2026-03-12T00:00:00Z' };
    const { start, pass, ca } = await acmeStage({ mood: { advice } });
    await start();
    ca.mood.refuse = { path: '/new-order', status: 403, type: 'unauthorized', detail: 'no' };
    const questions = () => ca.asked.filter(({ path }) => path.startsWith('/renewal/')).length;
    for (let days = 0; days < 91; days += 1) await pass(dayMs);
    const before = questions();
    expect(before).toBeGreaterThan(80);
    for (let days = 0; days < 5; days += 1) await pass(dayMs);
    expect(questions()).toBe(before);
  });

  it('tries again after five minutes, then a quarter of an hour, and tells why', async () => {
    const { start, pass, ca, own, lines } = await acmeStage({ mood: { invalid: 'connection refused' } });
    await start();
    expect(await own()).toMatchObject({
      failures: 1,
      lastError: {
        text: 'the authority did not find (http-01) that mx.example.com is ours: connection refused',
      },
    });
    await pass(5 * minuteMs);
    expect(ca.count('/new-order')).toBe(1); // a little more than five minutes
    await pass(minuteMs);
    expect(ca.count('/new-order')).toBe(2);
    await pass(15 * minuteMs);
    expect(ca.count('/new-order')).toBe(2);
    await pass(2 * minuteMs);
    expect(ca.count('/new-order')).toBe(3);
    expect(lines('error')).toHaveLength(3);
  });

  it('does not ask again because it was started again', async () => {
    const { start, restart, ca } = await acmeStage({ mood: { invalid: 'no' } });
    await start();
    for (let times = 0; times < 5; times += 1) await restart();
    expect(ca.count('/new-order')).toBe(1);
  });

  it('leaves an authority alone that asks for it, for as long, over restarts and wishes', async () => {
    const refuse = { status: 429, type: 'rateLimited', detail: 'too many certificates', retryAfter: '86400' };
    const held = await acmeStage({ mood: { refuse: { path: '/new-order', ...refuse } } });
    const { start, restart, pass, ca, own } = held;
    await start();
    expect(await own()).toMatchObject({
      isAsked: true,
      lastError: { text: 'the authority asks to wait: too many certificates' },
    });
    await restart();
    await pass(23 * 60 * minuteMs);
    expect(ca.count('/new-order')).toBe(1);
    await expect(held.keeper.renew(undefined, false)).rejects.toThrow('left alone until 2026-01-06');
    ca.mood.refuse = undefined;
    await pass(61 * minuteMs);
    expect(await own()).toMatchObject({ failures: 0, certificate: {} });
  });

  it('does not wait for ever because an authority says so', async () => {
    const refuse = {
      path: '/new-order',
      status: 503,
      type: 'serverInternal',
      detail: 'x',
      retryAfter: '999999999',
    };
    const { start, own, clock } = await acmeStage({ mood: { refuse } });
    await start();
    expect((await own())?.notBefore).toBe(clock.now() + 7 * dayMs);
  });

  it('keeps what it has while the authority is away', async () => {
    const { start, pass, own, ca, certificates } = await acmeStage();
    await start();
    ca.mood.isAway = true;
    for (let days = 0; days < 70; days += 1) await pass(dayMs);
    expect((await own())?.lastError?.text).toBe(
      'the authority at ca.example cannot be asked: nobody is there',
    );
    expect(certificates.known()).toHaveLength(1);
  });

  it('asks for no name that DNS does not lead here, and for others as soon as it does', async () => {
    const web = {
      id: 'mta-sts.a.example',
      names: ['mta-sts.a.example', 'autoconfig.a.example'],
      isOptional: true,
    };
    const { start, pass, own, dns, ca } = await acmeStage({ wanted: [web] });
    dns.ours = [];
    await start();
    expect(await own()).toMatchObject({ names: [], note: expect.stringContaining('DNS leads none of') });
    dns.ours = ['mta-sts.a.example'];
    await pass(60 * minuteMs);
    expect((await own())?.certificate?.names).toEqual(['mta-sts.a.example']);
    dns.ours = ['*'];
    await pass(60 * minuteMs);
    expect((await own())?.certificate?.names).toEqual(web.names);
    expect(ca.count('/new-order')).toBe(2);
  });

  it('begins anew where what it kept is damaged', async () => {
    const { start, restart, dataDir, certificates, lines } = await acmeStage();
    await start();
    await writeFile(join(dataDir, 'acme', 'mx.example.com.pem'), 'half a cert');
    await writeFile(join(dataDir, 'acme', 'state.json'), '{ "half":');
    await restart();
    expect(certificates.known()).toHaveLength(1);
    expect(lines('error')[0]?.error).toContain('mx.example.com.pem cannot be used');
    expect(lines('warn')[0]?.msg).toContain('state.json is damaged');
  });

  it('writes a file that was damaged under it anew, with the same key, when it is told to', async () => {
    const { start, keeper, dataDir, certificates } = await acmeStage();
    await start();
    const [before] = certificates.known();
    const file = join(dataDir, 'acme', 'mx.example.com.pem');
    await writeFile(file, 'half a cert');
    await keeper.renew('mx.example.com', true);
    const pem = await readFile(file, 'utf8');
    expect(parseKeyPair(pem, pem).facts.spkiSha256).toBe(before?.spkiSha256);
  });

  it('serves on with a chain that is damaged, which TLS would not take, until another has come', async () => {
    const { start, restart, dataDir, certificates, lines, ca } = await acmeStage();
    await start();
    const file = join(dataDir, 'acme', 'mx.example.com.pem');
    await writeFile(file, `${await readFile(file, 'utf8')}-----BEGIN CERTIFICATE-----\nMIIB`);
    await restart();
    expect(lines('error')[0]?.error).toMatch(
      /cannot be used \(certificate 3 of its chain .*will take its place/,
    );
    expect(certificates.known()).toHaveLength(1);
    expect(ca.count('/new-order')).toBe(2);
  });

  it.each([
    ['{"key":', 'is damaged'],
    [JSON.stringify({ key: 'no key', accounts: {} }), 'is not what was written there'],
  ])(
    'asks for nothing with an account that cannot be used, and says what to do: %s',
    async (text, problem) => {
      const { start, keeper, own, dataDir, ca, lines } = await acmeStage();
      await mkdir(join(dataDir, 'acme'));
      await writeFile(join(dataDir, 'acme', 'account.json'), text);
      await start();
      const said = `account.json ${problem}. No certificate is asked for as long as it is so. Bring it back`;
      expect((await own())?.lastError?.text).toContain(said);
      expect((await keeper.status()).accountProblem).toContain(said);
      expect(ca.count('/new-order')).toBe(0);
      expect(lines('error').map(({ msg }) => msg)).toEqual(['no certificate']); // and no internal error
      expect(await readFile(join(dataDir, 'acme', 'account.json'), 'utf8')).toBe(text);
    },
  );

  it('says where it cannot write, and does not ask', async () => {
    const { start, own, dataDir, ca, keeper } = await acmeStage();
    await writeFile(join(dataDir, 'acme'), 'a file, where a directory should be');
    await start();
    expect((await own())?.lastError?.text).toMatch(/acme.*cannot|cannot.*acme/);
    expect(ca.count('/new-order')).toBe(0);
    await keeper.idle();
  });

  it('knows which names it keeps', async () => {
    const held = await acmeStage();
    await held.start();
    await expect(held.keeper.renew('other.example', false)).rejects.toThrow('Known are: mx.example.com');
  });
});

describe('AcmeKeeper.revoke()', () => {
  const replaced = async () => {
    const held = await acmeStage();
    await held.start();
    const [before] = held.certificates.known();
    await held.keeper.rollover(undefined, true);
    const file = join(held.dataDir, 'acme', 'mx.example.com.replaced.pem');
    return { ...held, before, file, keeper: () => held.keeper };
  };

  it('has the certificate revoked whose key was replaced at once, by that key, also after a restart', async () => {
    const { restart, own, before, file, keeper, ca } = await replaced();
    const { serialNumber } = new X509Certificate(await readFile(file));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await restart();
    expect((await own())?.replaced?.spkiSha256).toBe(before?.spkiSha256);
    await keeper().revoke(undefined);
    expect(ca.revoked).toEqual([serialNumber]);
    expect((await own())?.replaced).toBeUndefined();
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await expect(keeper().revoke(undefined)).rejects.toThrow('nothing to revoke');
  });

  it('can be asked for again where the authority refused, or had done it', async () => {
    const { own, keeper, ca } = await replaced();
    ca.mood.isAway = true;
    await expect(keeper().revoke('mx.example.com')).rejects.toThrow('cannot be asked');
    ca.mood.isAway = false;
    ca.mood.refuse = { path: '/revoke', status: 403, type: 'unauthorized', detail: 'not you' };
    await expect(keeper().revoke(undefined)).rejects.toThrow('the authority refuses: not you');
    expect((await own())?.replaced).toBeDefined();
    ca.mood.refuse = { path: '/revoke', status: 400, type: 'alreadyRevoked', detail: 'it is' };
    await keeper().revoke(undefined);
    expect((await own())?.replaced).toBeUndefined();
  });

  it('keeps none that is over, and none whose key may go on', async () => {
    const { restart, pass, own, keeper, file } = await replaced();
    await pass(91 * dayMs);
    await restart();
    expect((await own())?.replaced).toBeUndefined();
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await keeper().rollover(undefined, false); // with no TLSA record it is used at once, too
    expect((await own())?.replaced).toBeUndefined();
  });
});
