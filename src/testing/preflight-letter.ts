/** For tests of preflight: a letter of example.com as it would leave, a zone in which all is right for it, and what checks say. */

import { generateKeyPairSync } from 'node:crypto';
import { checkSender } from '../authentication/check.ts';
import { createSigner } from '../authentication/dkim-sign.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { parseAddress } from '../mail/address.ts';
import type { Seen } from '../preflight/authentication.ts';
import { type Letter, readLetter } from '../preflight/letter.ts';
import { fakeClock } from './fake-clock.ts';
import { scriptedResolver } from './scripted-resolver.ts';

const clock = fakeClock(Date.parse('2026-11-28T12:00:00Z'));
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
const signer = createSigner({ domain: 'example.com', selector: 's', privateKeyPem, clock });

/** From which it leaves. */
export const address = '192.0.2.1';
export const ehloName = 'mx.example.com';

export const right: ZoneData = {
  'example.com': { TXT: [`v=spf1 ip4:${address} -all`] },
  's._domainkey.example.com': { TXT: [`v=DKIM1; k=ed25519; p=${p}`] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=none'] },
  '1.2.0.192.in-addr.arpa': { PTR: [ehloName] },
  [ehloName]: { A: [address] },
};

export const without = (...names: string[]): ZoneData =>
  Object.fromEntries(Object.entries(right).filter(([name]) => !names.includes(name)));

export interface LetterOptions {
  /** More fields of its header. */
  fields?: string | undefined;
  signed?: boolean | undefined;
  to?: string;
  body?: string;
}

export async function letterOf(options: LetterOptions = {}): Promise<Letter> {
  const { fields = '', signed = true, to: recipient = 'b@example.net', body = 'Hello' } = options;
  const octets = Buffer.from(`From: a@example.com\nTo: b@example.net\nSubject: Hi\n${fields}\n${body}\n`);
  const to = parseAddress(recipient);
  if (to === undefined) throw new Error(`${recipient} is no address`);
  const signers = new Map(signed ? [['example.com', signer]] : []);
  return readLetter({ signers, hostname: ehloName, now: clock.now() }, { octets, to });
}

/** What its receiver will find, by that zone. */
export async function seenBy(letter: Letter, zone: ZoneData): Promise<Seen[]> {
  const sender = { clientAddress: address, helo: ehloName, reversePath: letter.reversePath };
  const parts = { resolver: scriptedResolver(zone), clock };
  const verdicts = await checkSender(parts, { ...sender, message: letter.sent });
  return [{ from: { publicAddress: address, ehloName }, verdicts }];
}
