/** What time it is, as others have it: by time servers (SNTP), and where these cannot be asked, by the date of a web server's answer. */

import type { Https } from '../net/https.ts';
import type { AskTime } from '../net/sntp.ts';
import { textsOf } from './answers.ts';
import type { DnsLooks } from './dns-looks.ts';
import type { TimeTold } from './machine.ts';

export interface TimeParts {
  looks: DnsLooks;
  askTime: AskTime;
  https: Https;
  now(): number;
  /** A name or an address, and a port. */
  servers: readonly { host: string; port: number }[];
  signal: AbortSignal;
}

const webTimeoutMs = 5_000;
const maxWebBytes = 256 * 1024;

export async function askTimes(parts: TimeParts): Promise<TimeTold[]> {
  const told = await Promise.all(parts.servers.map((server) => askServer(parts, server)));
  const [first] = parts.servers;
  if (first === undefined || told.some((each) => 'offsetMs' in each)) return told;
  return [...told, await askWeb(parts, first.host)];
}

async function askServer(
  { looks, askTime, signal }: TimeParts,
  { host, port }: { host: string; port: number },
): Promise<TimeTold> {
  const isAddress = /^[\d.]+$|:/.test(host);
  const [address] = isAddress ? [host] : textsOf(await looks.resolve(host, 'A'));
  if (address === undefined) return { error: `${host} has no address` };
  const told = await askTime({ address, port }, signal);
  return 'error' in told ? { error: `${host}: ${told.error}` } : { ...told, by: host };
}

/** Its clock shows in whole seconds; whatever is wrong with its certificate may be so because of ours. */
async function askWeb({ https, now, signal }: TimeParts, host: string): Promise<TimeTold> {
  const url = URL.parse(`https://${host}/`);
  if (url === null) return { error: `${host} is no host` };
  const sentAt = now();
  const answer = await https({
    url,
    method: 'GET',
    maxBytes: maxWebBytes,
    timeoutMs: webTimeoutMs,
    onBadCertificate: 'tell',
    signal,
  });
  if ('problem' in answer) return { error: `${url.href}: ${answer.problem}` };
  const date = Date.parse(answer.headers.date ?? '');
  if (Number.isNaN(date)) return { error: `${url.href} tells no date` };
  return { offsetMs: date + 500 - (sentAt + now()) / 2, by: url.href };
}
