/** Programs of others that authenticate mail, from Debian: dkimpy and pyspf by one script, OpenDKIM by opendkim-testmsg. */

import { join } from 'node:path';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { run, runOk } from '../process.ts';

/** Messages have CRLF line ends. */
export interface Asked {
  zone: ZoneData;
  verify?: readonly Buffer[];
  verifyChains?: readonly Buffer[];
  sign?: readonly ToSign[];
  seal?: readonly ToSeal[];
  spf?: readonly SpfQuestion[];
}

export interface ToSign {
  message: Buffer;
  domain: string;
  selector: string;
  /** PEM (PKCS #1), or the 32 octets of an Ed25519 key in base64. */
  key: string;
  /** `relaxed/simple`. */
  canonicalization: string;
  algorithm: 'rsa-sha256' | 'ed25519-sha256';
  /** With `l=`. */
  length?: boolean;
}

/** `server`: whose Authentication-Results of the message are sealed. */
export type ToSeal = Pick<ToSign, 'message' | 'domain' | 'selector' | 'key'> & { server: string };

export interface SpfQuestion {
  address: string;
  sender: string;
  helo: string;
}

export interface Answered {
  /** For each message, whether each of its signatures is true, from the top. */
  signatures: boolean[][];
  chains: ('none' | 'pass' | 'fail')[];
  signed: Buffer[];
  sealed: Buffer[];
  spf: string[];
}

const script = join(import.meta.dirname, 'verifiers.py');
/** Debian's, which knows Debian's modules. */
const python = '/usr/bin/python3';

export async function askPython({ zone, verify, verifyChains, sign, seal, spf }: Asked): Promise<Answered> {
  const base64 = (messages: readonly Buffer[] = []) => messages.map((message) => message.toString('base64'));
  const withBase64 = <T extends { message: Buffer }>(list: readonly T[] = []) =>
    list.map((each) => ({ ...each, message: each.message.toString('base64') }));
  const input = JSON.stringify({
    zone,
    verify: base64(verify),
    verifyChains: base64(verifyChains),
    sign: withBase64(sign),
    seal: withBase64(seal),
    spf,
  });
  const { stdout } = await runOk(python, [script], { input });
  const { signed, sealed, ...rest } = JSON.parse(stdout.toString());
  const octets = (texts: string[]) => texts.map((text) => Buffer.from(text, 'base64'));
  return { ...rest, signed: octets(signed), sealed: octets(sealed) };
}

/** Whether opendkim-testmsg(8) finds the signature true; it asks DNS, which is that of the network. */
export async function isTrueForOpenDkim(inside: readonly string[], message: Buffer): Promise<boolean> {
  const [first = '', ...words] = [...inside, 'opendkim-testmsg', '-C'];
  return (await run(first, words, { input: message })).code === 0;
}

export async function signByOpenDkim({
  message,
  domain,
  selector,
  keyFile,
}: Pick<ToSign, 'message' | 'domain' | 'selector'> & { keyFile: string }): Promise<Buffer> {
  const options = ['-C', '-d', domain, '-s', selector, '-k', keyFile];
  return (await runOk('opendkim-testmsg', options, { input: message })).stdout;
}
