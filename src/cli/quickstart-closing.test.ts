import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placesFor } from '../setup/places.ts';
import { closing, isAtHand } from './quickstart-closing.ts';

const result = {
  domain: 'example.com',
  hostname: 'mx.example.com',
  addresses: ['203.0.113.7'],
  account: { address: 'alice@example.com' },
  records: [],
  unusable: [],
  steps: [],
};
const link = /^ {2}1\. have the command at hand: {2}ln -s \/.*\/bin\/posthorn \/usr\/local\/bin\/posthorn$/m;

test('closing() says how a shell finds the command, where it does not', () => {
  expect(closing(result, placesFor(), false).join('\n')).toMatch(link);
  expect(closing(result, placesFor(), true).join('\n')).not.toMatch(link);
  // Who tries it out need not be root.
  expect(closing(result, placesFor('/srv/mine'), false).join('\n')).not.toMatch(link);
});

test('closing() says which records are missing, and why', () => {
  const unusable = [{ role: 'account', file: '/data/acme/account.json', problem: 'is damaged' }] as const;
  expect(closing({ ...result, unusable }, placesFor(), true).join('\n')).toContain(
    '/data/acme/account.json is damaged: the CAA record is missing here.',
  );
});

test('isAtHand() looks where a shell does', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-path-'));
  expect(await isAtHand(`/none:${directory}`)).toBe(false);
  expect(await isAtHand(undefined)).toBe(false);
  writeFileSync(join(directory, 'posthorn'), '');
  expect(await isAtHand(`/none:${directory}`)).toBe(true);
  rmSync(directory, { recursive: true });
});
