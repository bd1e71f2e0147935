/**
 * What the receiver's server is, up to its answer to EHLO: where DNS leads, how TLS is, and what it announces. No
 * transaction is begun: it hears our name and QUIT.
 */

import { isAscii } from 'node:buffer';
import type { CheckStep } from '../delivery/check/callout.ts';
import type { CheckParts } from '../delivery/check/check-address.ts';
import { reachReceiver } from '../delivery/check/reach.ts';
import type { SiteTables } from '../delivery/route/site-tables.ts';
import { needsSmtputf8 } from '../mail/address.ts';
import { quit } from '../smtp/client.ts';
import type { Session } from '../smtp/client-session.ts';
import { type Finding, rfc } from './finding.ts';
import type { Letter } from './letter.ts';

export interface ReceiverParts extends CheckParts {
  tables: Pick<SiteTables, 'find'>;
}

export interface Receiver {
  findings: Finding[];
  /** The end of its hosts' names, where it is one that is known: `google.com`. */
  site?: string;
  /** TLS was spoken; absent where nobody was. */
  encrypted?: boolean;
}

/** Rejects only with the signal's reason. */
export async function lookAtReceiver(
  parts: ReceiverParts,
  letter: Letter,
  signal: AbortSignal,
): Promise<Receiver> {
  if ((await parts.findOwn?.(letter.to)) !== undefined) return { findings: [staysHere(letter.to.domain)] };
  const steps: CheckStep[] = [];
  const reached = await reachReceiver(parts, letter.to.domain, {
    reversePath: letter.reversePath,
    note: (step, finding, text, evidence = []) => steps.push({ step, finding, text, evidence }),
    signal,
  });
  const findings = steps.map(findingOf);
  const site = reached.route && parts.tables.find(reached.route)?.name;
  const about = { findings, ...(site !== undefined && { site }) };
  if (reached.loan === undefined) return about;
  const { session } = reached.loan;
  findings.push(...offered(session, letter));
  await quit(session.conversation, parts.timeouts);
  return { ...about, encrypted: session.tls !== undefined };
}

const staysHere = (domain: string): Finding => ({
  ...{ id: 'route-here', about: 'route', severity: 'notice' },
  fact: `${domain} is a domain of this server: the message stays here, and no other is asked.`,
  remedy: 'Whether the address exists: `posthorn check ADDRESS`. What is found otherwise, others would find.',
});

function findingOf({ step, finding, text, evidence }: CheckStep): Finding {
  const about = step === 'policy' || step === 'TLS' ? 'TLS' : 'route';
  const fact = [text, ...evidence].join('\n');
  if (finding === 'good') return { id: `${step.toLowerCase()}-found`, about, severity: 'good', fact };
  return {
    ...{ id: `${about.toLowerCase()}-${finding === 'bad' ? 'impossible' : 'unclear'}`, about, fact },
    severity: finding === 'bad' ? 'error' : 'warning',
    remedy:
      finding === 'bad'
        ? 'Ask for another address: nothing reaches this one.'
        : 'Try again later, and look at `posthorn doctor` for what is wrong with our own side.',
  };
}

/** What it takes, against what the message is. */
export function offered(
  { extensions, tls }: Pick<Session, 'extensions' | 'tls'>,
  { sent, to, reversePath }: Pick<Letter, 'sent' | 'to' | 'reversePath'>,
): Finding[] {
  const found: Finding[] = [];
  if (tls === undefined)
    found.push({
      ...{ id: 'tls-absent', about: 'TLS', severity: 'notice' },
      fact: 'The receiver speaks no TLS: the message would go in clear text.',
      remedy: 'REQUIRETLS would keep it here (RFC 8689).',
    });
  const most = Number(extensions.get('SIZE') ?? 0);
  if (most > 0 && sent.length > most)
    found.push({
      ...{ id: 'size-over', about: 'size', severity: 'error' },
      fact: `It has ${sent.length} octets as it is sent; the receiver takes ${most}.`,
      rule: rfc('1870 §6.1', 'a message larger than announced is refused'),
      remedy: 'Send less: base64 makes a third more of every file. Send a link instead.',
    });
  else
    found.push({
      ...{ id: 'size-fits', about: 'size', severity: 'good' },
      fact: `It has ${sent.length} octets as it is sent; the receiver takes ${most > 0 ? most : 'any size'}.`,
    });
  const isUtf8 = needsSmtputf8(to) || !isAscii(Buffer.from(reversePath));
  if (isUtf8 && !extensions.has('SMTPUTF8'))
    found.push({
      ...{ id: 'smtputf8-absent', about: 'route', severity: 'error' },
      fact: 'An address is not ASCII, and the receiver does not offer SMTPUTF8.',
      rule: rfc('6531 §3.1', 'such addresses travel only where every server offers it'),
      remedy: 'Use an address in ASCII.',
    });
  if (!isAscii(sent) && !extensions.has('8BITMIME'))
    found.push({
      ...{ id: '8bitmime-absent', about: 'MIME', severity: 'notice' },
      fact: 'The message has octets above 127, and the receiver does not offer 8BITMIME: it is sent in a 7-bit form.',
      rule: rfc('6152 §3', 'it must be converted, or cannot be sent'),
    });
  return found;
}
