/**
 * How many messages from outside a second are authenticated here and now: SPF, DKIM (RSA-2048), ARC, DMARC and iprev with DNS
 * in the cache, and the Authentication-Results of each, on the thread that speaks with clients. And for how long that
 * thread then serves nobody else, while a message of 50 MB or one with 1,000 signatures is checked. A process of its own,
 * with the pool's size of bin/posthorn. Prints one line of JSON.
 */

import { checkSender } from '../src/authentication/check.ts';
import { dkimRecord, generateDkimKey } from '../src/authentication/dkim-key.ts';
import { createSigner } from '../src/authentication/dkim-sign.ts';
import { authenticationResults } from '../src/authentication/results.ts';
import { signMessage } from '../src/authentication/sign-message.ts';
import { cachedResolver } from '../src/dns/cache.ts';
import { scriptedResolver } from '../src/testing/scripted-resolver.ts';
import { systemClock } from '../src/util/clock.ts';

export interface RawAuthentication {
  perSecond: number;
  /** The longest turn of the event loop, in ms. */
  largeDelayMs: number;
  signaturesDelayMs: number;
}

const seconds = Number(process.argv[2] ?? 3);
const sizeBytes = Number(process.argv[3] ?? 1024);
/** Messages under way at once, as of as many sessions. */
const atOnce = 20;

const privateKeyPem = await generateDkimKey('rsa');
const signer = createSigner({ domain: 'example.com', selector: 's1', privateKeyPem, clock: systemClock });
const networks = Array.from({ length: 12 }, (_, number) => `ip4:198.51.${number}.0/24`).join(' ');
const zone = {
  'example.com': { TXT: ['v=spf1 include:_spf.example.net -all', 'some-verification=0123456789abcdef'] },
  '_spf.example.net': { TXT: [`v=spf1 ${networks} ip4:192.0.2.0/24 ~all`] },
  's1._domainkey.example.com': { TXT: [dkimRecord(privateKeyPem).value] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; rua=mailto:reports@example.com'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
  'mail.example.com': { A: ['192.0.2.1'] },
};
const resolver = cachedResolver(scriptedResolver(zone), systemClock);

async function signed(body: string): Promise<Buffer> {
  const letter = `Received: from client.example.com (client.example.com [203.0.113.7]) by mail.example.com with ESMTPSA\r\n\tid 0123456789; Thu, 1 Jan 2026 00:00:00 +0000\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nFrom: "A. Sender" <sender@example.com>\r\nTo: recipient@example.net\r\nSubject: A message of usual length\r\nMessage-ID: <0123456789@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`;
  return Buffer.from((await signMessage(signer, Buffer.from(letter))) + letter);
}

async function check(message: Buffer): Promise<string> {
  const sender = { clientAddress: '192.0.2.1', helo: 'mail.example.com', reversePath: 'sender@example.com' };
  const verdicts = await checkSender({ resolver, clock: systemClock }, { ...sender, message });
  return authenticationResults(verdicts, 'mx.example.net');
}

async function measureRate(message: Buffer): Promise<number> {
  let checked = 0;
  const startedAt = performance.now();
  const lane = async () => {
    while (performance.now() - startedAt < seconds * 1000) {
      await check(message);
      checked += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return checked / ((performance.now() - startedAt) / 1000);
}

/**
 * The longest turn of the event loop (to 4 ms, as Linux counts a thread's time) while `message` was checked, in the thread's own time: what other programs take away
 * meanwhile is not ours.
 */
async function measureDelay(message: Buffer): Promise<number> {
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
  await check(message);
  isOver = true;
  return Math.max(longest, threadMs() - turnedAt);
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const line = `${'A line of text as people write them, and not much longer.'.padEnd(70)}\r\n`;
const message = await signed(line.repeat(Math.ceil(sizeBytes / line.length)));
const results = await check(message);
if (!/spf=pass[\s\S]*dkim=pass[\s\S]*dmarc=pass[\s\S]*iprev=pass/.test(results)) throw new Error(results);
await measureRate(message); // warm
const perSecond = await measureRate(message);

const large = await signed(line.repeat(Math.ceil(50e6 / line.length)));
const [signature = ''] = /^DKIM-Signature:(?:[^\n]*\n[ \t])*[^\n]*\n/.exec(String(message)) ?? [];
const many = Buffer.from(signature.repeat(999) + message);
const measured: RawAuthentication = {
  perSecond,
  largeDelayMs: await measureDelay(large),
  signaturesDelayMs: await measureDelay(many),
};
console.log(JSON.stringify(measured));
