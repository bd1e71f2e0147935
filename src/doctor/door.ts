/**
 * The server as others find it: at each published address somebody answers, it is us, STARTTLS works, strangers cannot relay,
 * and the addresses that must be there take mail. Nothing is delivered: each question ends with RSET. RFC 5321 §4.5.1,
 * RFC 3207, RFC 2142.
 */

import type { X509Certificate } from 'node:crypto';
import { formatAddress, parseAddress } from '../mail/address.ts';
import { openSession, quit } from '../smtp/client.ts';
import { askAbout, endAsking } from '../smtp/client-callout.ts';
import type { Session } from '../smtp/client-session.ts';
import { type ClientTimeouts, defaultTimeouts } from '../smtp/client-timeouts.ts';
import type { Verdict } from '../smtp/client-verdict.ts';
import { ConversationError, type Dial } from '../smtp/conversation.ts';
import { replyText } from '../smtp/reply.ts';

export interface DoorPlace {
  /** As the MX records have it. */
  host: string;
  address: string;
  port: number;
}

/** What was seen there. */
export interface DoorSeen extends DoorPlace {
  outcome: { kind: 'closed' | 'refuses' | 'tls-fails'; why: string } | { kind: 'open' };
  /** The name in the greeting. */
  greetedBy?: string;
  /** Absent: no STARTTLS. */
  chain?: readonly X509Certificate[];
  distrust?: string;
  tls?: string;
  /** Replies to RCPT, by address. */
  replies: ReadonlyMap<string, { isTaken: boolean; isRefused: boolean; text: string }>;
}

export interface DoorParts {
  dial: Dial;
  ehloName: string;
  signal: AbortSignal;
}

const secondMs = 1000;
const timeouts: ClientTimeouts = {
  ...defaultTimeouts,
  connectMs: 5 * secondMs,
  greetingMs: 8 * secondMs,
  helloMs: 5 * secondMs,
  tlsMs: 5 * secondMs,
  mailMs: 5 * secondMs,
  // Who asks often for what is not there is answered later.
  rcptMs: 8 * secondMs,
  quitMs: secondMs,
};

/** `recipients` are asked about in turn. */
export async function knock(
  { dial, ehloName, signal }: DoorParts,
  place: DoorPlace,
  recipients: readonly string[],
): Promise<DoorSeen> {
  const seen = { ...place, replies: new Map() };
  const endpoint = { host: place.host, address: place.address, port: place.port };
  let conversation: Awaited<ReturnType<Dial>>;
  try {
    conversation = await dial(endpoint, { timeoutMs: timeouts.connectMs, signal });
  } catch (error) {
    if (!(error instanceof ConversationError)) throw error;
    return { ...seen, outcome: { kind: 'closed', why: error.message } };
  }
  const shown: { chain?: readonly X509Certificate[]; distrust?: string } = {};
  const opening = await openSession(conversation, {
    ehloName,
    timeouts,
    demand: {
      key: 'doctor',
      use: 'offered',
      judge(tls) {
        shown.chain = tls.chain();
        if (tls.distrust !== undefined) shown.distrust = tls.distrust;
        tls.forget?.();
        return undefined;
      },
    },
  });
  const greetedBy = greetingName(conversation.dialogue.excerpt().lines);
  const common = { ...seen, ...shown, ...(greetedBy !== undefined && { greetedBy }) };
  if ('verdict' in opening) {
    conversation.close();
    const isTls = 'phase' in opening.verdict && opening.verdict.phase === 'negotiating TLS';
    return {
      ...common,
      outcome: { kind: isTls ? 'tls-fails' : 'refuses', why: verdictText(opening.verdict) },
    };
  }
  const { session } = opening;
  for (const recipient of recipients) seen.replies.set(recipient, await replyTo(session, recipient));
  await quit(session.conversation, timeouts);
  return {
    ...common,
    outcome: { kind: 'open' },
    ...(session.tls && { tls: `${session.tls.version}, ${session.tls.cipher}` }),
  };
}

async function replyTo(session: Session, recipient: string) {
  const address = parseAddress(recipient);
  if (address === undefined) return { isTaken: false, isRefused: true, text: `${recipient} is no address` };
  const verdict = await askAbout(session, address, timeouts);
  await endAsking(session, timeouts);
  const code = verdict.by === 'reply' ? verdict.reply.code : 0;
  return {
    isTaken: code >= 200 && code < 300,
    isRefused: code >= 500,
    text: `${formatAddress(address)}: ${verdictText(verdict)}`,
  };
}

function verdictText(verdict: Verdict): string {
  switch (verdict.by) {
    case 'reply':
      return replyText(verdict.reply);
    case 'connection':
      return verdict.error.message;
    case 'extension':
      return verdict.reason;
    case 'policy':
      return verdict.fault.reason;
  }
}

function greetingName(lines: readonly (readonly [number, string])[]): string | undefined {
  const greeting = lines.map(([, line]) => line).find((line) => /^S: 220[ -]/.test(line));
  return greeting === undefined ? undefined : /^S: 220[ -](\S+)/.exec(greeting)?.[1]?.toLowerCase();
}
