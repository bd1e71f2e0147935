import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acmeStage } from '../testing/acme-stage.ts';
import { newEcKey } from '../util/certificate-writer.ts';
import { spkiSha256 } from './keys.ts';
import { pemOf } from './vault.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

describe('askGate(), as the keeper of certificates goes by it', () => {
  it('uses the key that was signed by itself for the first certificate', async () => {
    const key = newEcKey();
    const { start, certificates } = await acmeStage({ firstKey: pemOf(key) });
    await start();
    expect(certificates.known()[0]?.spkiSha256).toBe(spkiSha256(key));
  });

  it('rolls a key over at once where DNS says nothing of keys', async () => {
    const held = await acmeStage();
    await held.start();
    const [before] = held.certificates.known();
    await held.keeper.rollover(undefined, false);
    expect(held.certificates.known()[0]?.spkiSha256).not.toBe(before?.spkiSha256);
    expect((await held.own())?.nextKey).toBeUndefined();
  });

  it('waits until the record of the new key is everywhere, and for two lives of it', async () => {
    const held = await acmeStage();
    const { start, pass, own, dns, certificates, restart } = held;
    await start();
    const current = certificates.known()[0]?.spkiSha256 ?? '';
    dns.tlsa = { keys: [current], somewhere: [current], ttl: 3600 };
    await held.keeper.rollover(undefined, false);
    const next = (await own())?.nextKey?.sha256 ?? '';
    expect(await own()).toMatchObject({
      nextKey: { waitsFor: expect.stringContaining('DNS does not show') },
    });
    await pass(3 * dayMs);
    dns.tlsa = { keys: [current], somewhere: [current, next], ttl: 3600 };
    await pass(5 * minuteMs);
    expect((await own())?.nextKey?.waitsFor).toContain('not all name servers show');
    dns.tlsa = { keys: [current, next], somewhere: [current, next], ttl: 3600 };
    await pass(5 * minuteMs);
    await restart();
    await pass(115 * minuteMs);
    expect(certificates.known()[0]?.spkiSha256).toBe(current);
    dns.tlsa = { error: 'SERVFAIL' };
    await pass(5 * minuteMs);
    expect(certificates.known()[0]?.spkiSha256).toBe(current);
    dns.tlsa = { keys: [current, next], somewhere: [current, next], ttl: 3600 };
    await pass(5 * minuteMs);
    expect(certificates.known()[0]?.spkiSha256).toBe(next);
    expect((await readFile(join(held.dataDir, 'acme', 'state.json'), 'utf8')).includes('rollover')).toBe(
      false,
    );
  });

  it('has a first certificate for a name come, also where nobody tells of TLSA records', async () => {
    const held = await acmeStage();
    held.dns.tlsa = { error: 'SERVFAIL' };
    await held.start();
    expect(held.certificates.known()).toHaveLength(1);
    await held.keeper.rollover(undefined, false);
    expect((await held.own())?.nextKey?.waitsFor).toContain('is not known: SERVFAIL');
  });

  it('waits for a first record too where the configuration says dane = true', async () => {
    const held = await acmeStage({ dane: true });
    await held.start();
    const before = held.certificates.known()[0]?.spkiSha256;
    await held.keeper.rollover(undefined, false);
    expect(held.certificates.known()[0]?.spkiSha256).toBe(before);
    await held.keeper.rollover(undefined, true);
    expect(held.certificates.known()[0]?.spkiSha256).not.toBe(before);
  });

  it('renews with the present key meanwhile', async () => {
    const held = await acmeStage({ dane: true });
    await held.start();
    const before = held.certificates.known()[0];
    await held.keeper.rollover(undefined, false);
    for (let days = 0; days < 60; days += 1) await held.pass(dayMs);
    const after = held.certificates.known()[0];
    expect(after?.spkiSha256).toBe(before?.spkiSha256);
    expect(after?.notAfter).toBeGreaterThan(before?.notAfter ?? Infinity);
  });
});
