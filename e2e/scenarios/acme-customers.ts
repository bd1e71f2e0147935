/** An authority that issues to its customers only: external account binding (RFC 8555 §7.3.4), as pebble demands it. */

import { equal, match } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { startPebble } from '../peers/pebble.ts';
import type { Posthorn } from '../peers/posthorn.ts';
import type { Stage } from '../runner.ts';
import { eventually } from '../wait.ts';
import { allIssued, issuedBy } from './acme-issued.ts';

interface Place {
  inside: readonly string[];
  begin(name: string, acme: object): Promise<Posthorn>;
}

export async function customersOnly(
  { world, step }: Pick<Stage, 'world' | 'step'>,
  { inside, begin }: Place,
): Promise<void> {
  const key = randomBytes(32).toString('base64url');
  const customers = { 'customer-7': key };
  await startPebble(world, { inside, customers });
  const keyFile = world.path('eab.key');
  const binding = { challenge: 'http-01', eabKeyId: 'customer-7', eabKeyFile: keyFile };

  /** Why a server that has just begun gets no certificate, as `posthorn tls` tells it. */
  const refusal = async (server: Posthorn): Promise<string> => {
    const [own] = await eventually('a refusal', async () => {
      const issued = await issuedBy(server);
      return issued[0]?.lastError ? issued : undefined;
    });
    const { code, output } = await server.command(['tls']);
    equal(code, 1);
    match(output, /account: none yet/);
    await server.stop();
    return own?.lastError?.text ?? '';
  };

  await step('an authority for customers only, and we name no account there: what to give', async () => {
    const none = await begin('no-customer', { challenge: 'http-01' });
    match(await refusal(none), /wants an account of its own first: give eabKeyId and eabKeyFile in \[acme\]/);
  });
  await step('… with a wrong key: its words, and what to compare', async () => {
    await writeFile(keyFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
    const text = await refusal(await begin('wrong-key', binding));
    match(
      text,
      /^the authority refuses: .*bound to customer-7 \(eabKeyId\): compare that and what is in eabKeyFile/,
    );
  });
  await step('… with the right key: certificates, and later ones without it', async () => {
    await writeFile(keyFile, `${key}\n`, { mode: 0o600 });
    const server = await begin('customer', binding);
    await allIssued(server, 2);
    await writeFile(keyFile, 'of use no more', { mode: 0o600 });
    const { code, output } = await server.command(['tls', 'renew', 'mx.example.com', '--force']);
    equal(code, 0, output);
    match(output, /account: https:\/\/pebble\.example\.com:14000\//);
    await server.stop();
  });
}
