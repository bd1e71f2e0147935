/** For tests: what happens to a message that goes to four, one event of each kind that is counted or spanned. */

import type { DossierEvent } from '../dossier/event.ts';
import { queueIds } from '../util/queue-id.ts';

export const at = Date.parse('2026-11-28T12:00:00Z');
export const queueId = queueIds(
  () => at,
  () => 0,
)();

export const events: DossierEvent[] = [
  {
    ...{ at: at + 200, queueId, event: 'accepted' },
    data: {
      via: 'smtp',
      from: 'a@example.com',
      to: ['b@example.net'],
      sizeBytes: 1000,
      tls: { version: 'TLSv1.3', cipher: 'x' },
    },
  },
  {
    ...{ at: at + 200, queueId, event: 'checked' },
    data: {
      ...{
        authenticationResults: '',
        spf: 'pass',
        dkim: 'fail (example.com), pass (b.example)',
        dmarc: 'none',
      },
      ...{ decision: 'accept', rule: '', durationMs: 150 },
    },
  },
  {
    ...{ at: at + 300, queueId, recipient: 'b@example.net', event: 'routed' },
    data: { domain: 'example.net', answers: [], hosts: ['mx.example.net'], durationMs: 40 },
  },
  {
    ...{ at: at + 400, queueId, event: 'attempted' },
    data: {
      endpoint: { host: 'alt1.google.com', address: '192.0.2.1', port: 25 },
      tls: { version: 'TLSv1.2', cipher: 'x', certificate: 'verified' },
      ...{
        reused: false,
        dialogue: [
          [0, 'S: 220'],
          [600, 'S: 250'],
        ],
      },
    },
  },
  {
    ...{ at: at + 1000, queueId, recipient: 'b@example.net', event: 'delivered' },
    data: { endpoint: { host: 'alt1.google.com', address: '192.0.2.1', port: 25 } },
  },
  { at: at + 900, queueId, recipient: 'c@example.com', event: 'delivered', data: { folder: 'Inbox' } },
  {
    ...{ at: at + 1000, queueId, recipient: 'd@example.org', event: 'failed' },
    data: { reason: 'no', status: '5.1.1', phase: 'sending RCPT TO', rule: '' },
  },
  {
    ...{ at, queueId, event: 'refused' },
    data: { from: '', to: [], reply: '550 5.7.1 Relaying denied', rule: '' },
  },
  { at, queueId, event: 'reported', data: { to: 'a@example.com', kind: 'failure', report: 'X' } },
];
