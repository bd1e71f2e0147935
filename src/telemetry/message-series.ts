/**
 * What is counted of messages: each metric with its labels, as docs/METRICS.md tells of it. When it counts is in
 * message-metrics.ts.
 */

import { Counter, Histogram, type Registry } from 'prom-client';

/** In seconds: from a local delivery to what greylisting and a bad day take. */
const ages = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600];
/** In seconds: of one connection, or one look-up. */
const spans = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export type MessageSeries = ReturnType<typeof messageSeries>;

/** Registers all of them. */
export function messageSeries(registry: Registry) {
  const registers = [registry];
  return {
    ...ofArrival(registers),
    ...ofDelivery(registers),
    ...ofJudgement(registers),
    ...ofConduct(registers),
  };
}

/** What comes in. */
const ofArrival = (registers: Registry[]) => ({
  accepted: new Counter({
    name: 'posthorn_messages_accepted_total',
    help: 'Messages that were taken in, by the way they came.',
    labelNames: ['via'],
    registers,
  }),
  acceptedBytes: new Counter({
    name: 'posthorn_messages_accepted_bytes_total',
    help: 'Octets of these.',
    labelNames: ['via'],
    registers,
  }),
  refused: new Counter({
    name: 'posthorn_messages_refused_total',
    help: 'Messages and recipients that were not taken in, by class and subject of the status they were told.',
    labelNames: ['status'],
    registers,
  }),
});

/** What goes out, and what came of it. */
const ofDelivery = (registers: Registry[]) => ({
  attempts: new Counter({
    name: 'posthorn_delivery_attempts_total',
    help: 'Ends of attempts, one for each recipient, by site and by what came of it.',
    labelNames: ['site', 'outcome', 'status'],
    registers,
  }),
  deliveryAge: new Histogram({
    name: 'posthorn_delivery_seconds',
    help: 'From the moment a message was begun to be received to its delivery, one for each recipient.',
    labelNames: ['kind'],
    buckets: ages,
    registers,
  }),
  dialogues: new Histogram({
    name: 'posthorn_dialogue_seconds',
    help: 'Time that a host was spoken to for one message.',
    buckets: spans,
    registers,
  }),
  routes: new Histogram({
    name: 'posthorn_route_seconds',
    help: 'Time that a route took to be found: DNS and the policies for TLS.',
    buckets: spans,
    registers,
  }),
});

/** What is made of mail from outside. */
const ofJudgement = (registers: Registry[]) => ({
  checks: new Histogram({
    name: 'posthorn_sender_check_seconds',
    help: 'Time from the end of a message to what was made of it: SPF, DKIM, DMARC, filters.',
    buckets: spans,
    registers,
  }),
  results: new Counter({
    name: 'posthorn_authentication_results_total',
    help: 'Results of the sender checks on mail from outside, by method.',
    labelNames: ['method', 'result'],
    registers,
  }),
  decisions: new Counter({
    name: 'posthorn_decisions_total',
    help: 'What was decided of mail from outside.',
    labelNames: ['decision'],
    registers,
  }),
});

/** How it was carried, and who was told. */
const ofConduct = (registers: Registry[]) => ({
  tls: new Counter({
    name: 'posthorn_tls_total',
    help: 'Messages in and dialogues out by version of TLS, and, out, by what the certificate was worth.',
    labelNames: ['direction', 'version', 'certificate'],
    registers,
  }),
  reports: new Counter({
    name: 'posthorn_reports_total',
    help: 'Reports about deliveries that were written, by kind.',
    labelNames: ['kind'],
    registers,
  }),
});
