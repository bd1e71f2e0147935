/** For tests of `send()`: a message, jobs, sites that play scripts, and what came of them in a word. */

import type { Delivery } from '../delivery/delivery.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { SiteTables } from '../delivery/route/site-tables.ts';
import { type SendParts, send } from '../delivery/send.ts';
import type { JobRow } from '../store/job.ts';
import type { MessageRow } from '../store/message.ts';
import type { Certificate } from './certificates.ts';
import { type SiteSetup, scriptedSites } from './scripted-site.ts';

export const content = Buffer.from('Subject: hello\r\n\r\nhi\r\n');

export const message: MessageRow = {
  queueId: '0123456789ABCD',
  acceptedAt: 0,
  reversePath: 'a@example.com',
  prefix: Buffer.alloc(0),
  content: { kind: 'inline', bytes: content },
  sizeBytes: content.length,
  eightBit: false,
  smtputf8: false,
  failuresTo: 'sender',
};

export function job(recipient: string, number: number): JobRow {
  const row = {
    queueId: message.queueId,
    number,
    recipient,
    kind: 'remote',
    destination: 'example.net',
  } as const;
  return { ...row, attempts: 0, queuedAt: 0, nextAttemptAt: 0, expiresAt: 1 };
}

/** For all tests of a file: opens a site, and sends the message there. */
export function sendingTo() {
  const open = scriptedSites();
  return async (hosts: SiteSetup['hosts'], certificate?: Certificate, addressOf?: SiteSetup['addressOf']) => {
    const { pool, route, peers } = await open({ hosts, certificate, ...(addressOf && { addressOf }) });
    const attempt = (recipients: string[], more: Partial<Delivery & SendParts> = {}) => {
      const { permanentFailures = 'careful', tables = new SiteTables([]), ...delivery } = more;
      const parts = { pool, permanentFailures, tables };
      return send(parts, {
        route,
        message,
        content: () => [content],
        jobs: recipients.map(job),
        ...delivery,
      });
    };
    return { pool, attempt, route, peers };
  };
}

export const brief = (outcome: Outcome | undefined): string =>
  outcome?.kind === 'delivered'
    ? `delivered at ${outcome.endpoint?.host}`
    : `${outcome?.kind} ${outcome?.status}`;

/** Of each job, in their order. */
export const results = ({ outcomes }: { outcomes: Map<number, Outcome> }): string[] =>
  [...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => brief(outcome));

export const hello = 'S: 220 mx\nC: EHLO mx.example.com\nS: 250 mx';
export const taken = 'C: DATA\nS: 354 go\nC: (message)\nS: 250 taken';
/** All of a transaction, in which nothing is refused. */
export const accepted = (...recipients: string[]): string =>
  `C: MAIL FROM:<a@example.com>\nS: 250 ok\n${recipients.map((each) => `C: RCPT TO:<${each}>\nS: 250 ok\n`).join('')}${taken}`;
export const bye = 'C: QUIT\nS: 221 bye';
