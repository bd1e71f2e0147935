/** The three ways to show an authority that a name is ours: RFC 8555 §8.3 (HTTP), RFC 8737 (TLS), RFC 8555 §8.4 (DNS). */

import { createHash } from 'node:crypto';
import type { ProgramEnd, ProgramRun } from '../net/program.ts';
import type { Clock } from '../util/clock.ts';
import { AcmeError } from './acme-error.ts';
import type { Challenges } from './challenges.ts';

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

export interface Responder {
  readonly type: ChallengeType;
  /** Once it resolves, the authority may look; `remove` is called afterwards, whatever came of it. Rejects with an AcmeError. */
  present(shown: { name: string; token: string; keyAuthorization: string }): Promise<() => Promise<void>>;
}

export const httpResponder = (challenges: Challenges): Responder => ({
  type: 'http-01',
  async present({ token, keyAuthorization }) {
    const remove = challenges.present(token, keyAuthorization);
    return async () => remove();
  },
});

/** Of `Certificates`: shows this digest in the TLS handshake of an authority, and returns how to end that. */
export type ShowAlpn = (name: string, digest: Buffer) => () => void;

export const alpnResponder = (show: ShowAlpn): Responder => ({
  type: 'tls-alpn-01',
  async present({ name, keyAuthorization }) {
    const remove = show(name, createHash('sha256').update(keyAuthorization).digest());
    return async () => remove();
  },
});

export interface HookParts {
  /** A program and its first arguments; `add NAME VALUE` or `remove NAME VALUE` come after them. */
  command: readonly string[];
  run(run: ProgramRun): Promise<ProgramEnd>;
  /** Resolves once all name servers of the zone show this text, or after a time to what they show instead. */
  shownInDns(name: string, text: string, signal: AbortSignal): Promise<string | undefined>;
  clock: Clock;
  signal: AbortSignal;
}

/** A provider's API may be slow, and so is the program. */
const hookTimeoutMs = 120_000;

export function dnsResponder(parts: HookParts): Responder {
  return {
    type: 'dns-01',
    async present({ name, keyAuthorization }) {
      const record = `_acme-challenge.${name.replace(/^\*\./, '')}`;
      const text = createHash('sha256').update(keyAuthorization).digest('base64url');
      const remove = () => runHook(parts, ['remove', record, text]);
      await runHook(parts, ['add', record, text]);
      const missing = await parts.shownInDns(record, text, parts.signal);
      if (missing === undefined) return remove;
      await remove();
      const what = `the hook has added the TXT record ${record}, but ${missing}`;
      throw new AcmeError('ours', what);
    },
  };
}

async function runHook({ command, run, clock, signal }: HookParts, words: readonly string[]): Promise<void> {
  const whole = [...command, ...words];
  const end = await run({ command: whole, input: [], timeoutMs: hookTimeoutMs, clock, signal });
  if (end.kind === 'exited' && end.code === 0) return;
  throw new AcmeError('ours', `the hook ${[command[0], words[0], words[1]].join(' ')} ${failureOf(end)}`);
}

function failureOf(end: ProgramEnd): string {
  if (end.kind === 'notStarted' || end.kind === 'badInput') return `could not be run: ${end.error.message}`;
  const [line = ''] = end.output.trim().split('\n');
  const said = line === '' ? 'and said nothing' : `and said: ${line.slice(0, 200)}`;
  if (end.kind === 'exited') return `ended with ${end.code} ${said}`;
  if (end.kind === 'killed') return `was ended by ${end.by} ${said}`;
  return `${end.kind === 'timeout' ? `took longer than ${hookTimeoutMs / 1000} s` : 'was stopped'} ${said}`;
}
