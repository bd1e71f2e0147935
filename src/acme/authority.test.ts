import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AcmeStageOptions, acmeStage } from '../testing/acme-stage.ts';

const minuteMs = 60_000;

describe('Authority', () => {
  it('keeps what the authority is called in CAA records, also when that changes', async () => {
    const { start, keeper, ca, dataDir } = await acmeStage({ mood: { caaIdentities: ['ca.example'] } });
    const kept = async () => JSON.parse(await readFile(join(dataDir, 'acme', 'account.json'), 'utf8'));
    await start();
    expect(await kept()).toMatchObject({
      accounts: { 'https://ca.example/dir': 'https://ca.example/account/0' },
      caaIdentities: { 'https://ca.example/dir': ['ca.example'] },
    });
    ca.mood.caaIdentities = ['ca.example', 'ca.example.net'];
    await keeper.renew(undefined, true);
    expect((await kept()).caaIdentities).toEqual({
      'https://ca.example/dir': ['ca.example', 'ca.example.net'],
    });
  });

  it('binds its account to the one that a customer of the authority has', async () => {
    const held = await acmeStage({
      mood: { bindings: { 'kid-1': 'c2VjcmV0' } },
      binding: { eabKeyId: 'kid-1', key: 'c2VjcmV0' },
    });
    await held.start();
    expect(held.certificates.known()).toHaveLength(1);
  });

  it.each<[string, AcmeStageOptions['binding'], string, number]>([
    ['none is given', undefined, 'give eabKeyId and eabKeyFile in [acme]', 0],
    ['the key is wrong', { eabKeyId: 'kid-1', key: 'b3RoZXI' }, 'bound to kid-1 (eabKeyId): compare that', 1],
    ['it knows no such id', { eabKeyId: 'kid-2', key: 'c2VjcmV0' }, 'bound to kid-2 (eabKeyId)', 1],
    [
      'the key is no key',
      { eabKeyId: 'kid-1', key: 'c2Vj cmV0 ' },
      'eabKeyFile is no key in base64url: copy',
      0,
    ],
    [
      'the file is gone',
      { eabKeyId: 'kid-1', key: new Error('ENOENT: eab.key') },
      'cannot be used: ENOENT',
      0,
    ],
  ])('says what to do about a binding that the authority wants: %s', async (_, binding, text, asked) => {
    const held = await acmeStage({
      mood: { bindings: { 'kid-1': 'c2VjcmV0' } },
      ...(binding && { binding }),
    });
    await held.start();
    expect((await held.own())?.lastError?.text).toContain(text);
    expect(held.ca.count('/new-account')).toBe(asked);
    expect(held.lines('error').map(({ msg }) => msg)).toEqual(['no certificate']);
  });

  it('says so, too, of an authority that tells only when it is asked', async () => {
    const refuse = { path: '/new-account', status: 403, type: 'externalAccountRequired', detail: 'x' };
    const held = await acmeStage({ mood: { refuse } });
    await held.start();
    expect((await held.own())?.lastError?.text).toContain('give eabKeyId and eabKeyFile in [acme]');
    const contact = { ...refuse, type: 'invalidContact', detail: 'no such mailbox' };
    const other = await acmeStage({ mood: { refuse: contact }, binding: { eabKeyId: 'a', key: 'b' } });
    await other.start();
    expect((await other.own())?.lastError?.text).toBe('the authority refuses: no such mailbox');
  });

  const caaText =
    'CAA records in DNS say who may issue: they must let our account (https://ca.example/account/0) have a certificate by http-01; posthorn doctor shows the record to enter';

  it('names CAA where that is in the way: with the proof, or at the end', async () => {
    const detail = 'CAA record for mx.example.com prevents issuance';
    const first = await acmeStage({ mood: { invalid: detail, invalidType: 'caa' } });
    await first.start();
    expect((await first.own())?.lastError?.text).toBe(
      `the authority refuses mx.example.com: ${detail}. ${caaText}`,
    );
    const refuse = { path: '/finalize/0', status: 403, type: 'caa', detail };
    const last = await acmeStage({ mood: { refuse } });
    await last.start();
    expect((await last.own())?.lastError?.text).toBe(`the authority refuses: ${detail}. ${caaText}`);
  });

  it('names CAA of the account that it is now, where the first was lost', async () => {
    const held = await acmeStage();
    await held.start();
    await rm(join(held.dataDir, 'acme', 'account.json'));
    Object.assign(held.ca.mood, { invalid: 'CAA says no', invalidType: 'caa' });
    await held.keeper.renew(undefined, true);
    expect((await held.own())?.lastError?.text).toContain(
      'let our account (https://ca.example/account/1) have',
    );
    expect((await held.keeper.status()).account).toBe('https://ca.example/account/1'); // as the doctor reads it
    expect(held.certificates.known()).toHaveLength(1);
  });

  it.each([
    ['other key', 'the private key does not belong to the certificate'],
    ['other names', 'its certificate is not for mx.example.com'],
    ['no certificate', 'the certificate is no PEM'],
    ['expired', 'is the clock of this machine right'],
    ['no json', 'the directory is no JSON object'],
  ] as const)('believes no authority that lies: %s', async (lie, text) => {
    const { start, own, certificates, ca } = await acmeStage({ mood: { lie } });
    await start();
    expect((await own())?.lastError?.text).toContain(text);
    expect(certificates.known()).toEqual([]);
    expect(ca.asked.length).toBeLessThan(20);
  });

  it('makes another account where the authority knows the first no more', async () => {
    const refuse = { path: '/new-order', status: 400, type: 'accountDoesNotExist', detail: 'gone' };
    const held = await acmeStage();
    await held.start();
    held.ca.mood.refuse = refuse;
    await held.keeper.renew(undefined, true);
    expect(held.ca.count('/new-account')).toBe(2);
  });

  it('says that the clock is wrong, once', async () => {
    const held = await acmeStage({ mood: { clockMs: 61 * minuteMs } });
    await held.start();
    await held.keeper.renew(undefined, true);
    expect(held.lines('warn').map(({ msg }) => msg)).toEqual([
      expect.stringContaining('the clock of this machine is 61 minutes behind'),
    ]);
    expect((await held.keeper.status()).clockAheadMs).toBe(-61 * minuteMs);
  });
});
