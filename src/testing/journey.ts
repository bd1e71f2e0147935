/** What tests of the dossier tell of: the road of one letter to one recipient, as events. */

import type { DossierEvent } from '../dossier/event.ts';

export const start = Date.UTC(2026, 3, 12, 3, 28, 1, 120);
export const queueId = '01JRMGQ4TQ0A1B';
export const recipient = 'recipient@example.net';
export const endpoint = { host: 'mx.example.net', address: '192.0.2.7', port: 25 };

export const taken: DossierEvent = {
  at: start,
  queueId,
  event: 'accepted',
  data: {
    via: 'submission',
    from: 'sender@example.com',
    to: [recipient],
    sizeBytes: 1234,
    account: 'sender@example.com',
    messageId: '<1@example.com>',
    client: { address: '192.0.2.1', helo: 'laptop' },
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  },
};

export const journey: DossierEvent[] = [
  taken,
  {
    at: start,
    queueId,
    event: 'signed',
    data: { domain: 'example.com', selector: 'posthorn', algorithm: 'rsa-sha256' },
  },
  {
    at: start + 5,
    queueId,
    recipient,
    event: 'routed',
    data: {
      domain: 'example.net',
      answers: ['example.net MX 10 mx.example.net', 'mx.example.net A 192.0.2.7'],
      hosts: ['mx.example.net'],
      durationMs: 3,
    },
  },
  {
    at: start + 10,
    queueId,
    recipient,
    event: 'attempted',
    data: {
      endpoint,
      reused: false,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', certificate: 'verified' },
      dialogue: [
        [2, 'S: 220 mx.example.net ESMTP'],
        [3, 'C: EHLO mx.example.com'],
        [4, 'S: 250-mx.example.net'],
        [4, 'S: 250 STARTTLS'],
        [5, 'C: STARTTLS'],
        [6, 'S: 220 2.0.0 Ready to start TLS'],
        [9, 'C: EHLO mx.example.com'],
        [10, 'S: 250 SIZE 52428800'],
        [11, 'C: MAIL FROM:<sender@example.com>'],
        [11, 'C: RCPT TO:<recipient@example.net>'],
        [12, 'S: 250 2.1.0 OK'],
        [12, 'S: 250 2.1.5 OK'],
        [12, 'C: DATA'],
        [13, 'S: 354 Go ahead'],
        [14, 'C: .'],
        [20, 'S: 250 2.0.0 OK: queued'],
        [20, 'C: QUIT'],
      ],
    },
  },
  {
    at: start + 31,
    queueId,
    recipient,
    event: 'delivered',
    data: { endpoint, reply: '250 2.0.0 OK: queued' },
  },
];
