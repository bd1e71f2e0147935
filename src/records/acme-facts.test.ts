import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { newEcKey } from '../util/certificate-writer.ts';
import { readFacts } from './facts.ts';
import { wantedRecords } from './wanted.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-records-'));
  mkdirSync(join(directory, 'acme'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
const other = 'https://ca.example/dir';

async function caaOf(acme = ''): Promise<string[]> {
  const toml = `hostname = "mx.example.com"\ndataDir = "."\n[acme]\n${acme}\n[[listener]]\nprotocol = "http"\n`;
  const config = await parseConfig(toml, join(directory, 'posthorn.toml'));
  const facts = await readFacts(config, { addresses: [], now: 0 });
  return wantedRecords(facts).flatMap(({ purpose, data }) => (purpose === 'caa' ? [data] : []));
}
const agreed = 'termsAgreed = true';

const key = newEcKey().export({ type: 'pkcs8', format: 'pem' });
const keep = (account: object) =>
  writeFileSync(join(directory, 'acme', 'account.json'), JSON.stringify({ key, accounts: {}, ...account }));

it("names Let's Encrypt before there is an account, and the account from then on", async () => {
  expect(await caaOf(agreed)).toEqual(['0 issue "letsencrypt.org; validationmethods=http-01"']);
  keep({
    accounts: {
      [letsEncrypt]: 'https://acme-v02.api.letsencrypt.org/acme/acct/7',
      [other]: 'https://ca.example/8',
    },
  });
  expect(await caaOf(agreed)).toEqual([
    '0 issue "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/7; validationmethods=http-01"',
  ]);
});

it('has the names of another authority from its own directory, and none before', async () => {
  const acme = `${agreed}\ndirectory = "${other}"`;
  expect(await caaOf(acme)).toEqual([]);
  keep({ caaIdentities: { [other]: ['ca.example', 'no name"', 'CA.example.net'] } });
  expect(await caaOf(acme)).toEqual([
    '0 issue "ca.example; validationmethods=http-01"',
    '0 issue "ca.example.net; validationmethods=http-01"',
  ]);
});

it('leaves out an account that cannot stand in such a record', async () => {
  for (const url of [
    'https://ca.example/"',
    'https://ca.example/a;b',
    'https://ca.example/a b',
    'https://ca.example/ä',
  ]) {
    keep({ accounts: { [letsEncrypt]: url } });
    expect(await caaOf(agreed)).toEqual(['0 issue "letsencrypt.org; validationmethods=http-01"']);
  }
});
