/**
 * What happens to messages, counted: a fold over the same events that dossiers are made of, so that both tell one story.
 * A message's age is told by its queue id.
 */

import { Counter, Histogram, type Registry } from 'prom-client';
import type { DossierEvent } from '../dossier/event.ts';
import { queueIdTime } from '../util/queue-id.ts';
import { nameLabels, replyLabel, statusLabel } from './labels.ts';

/** In seconds: from a local delivery to what greylisting and a bad day take. */
const ages = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600];
/** In seconds: of one connection, or one look-up. */
const spans = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export interface MessageMetricsParts {
  registry: Registry;
  /** The name of the receiving site to which a host belongs. */
  siteOf: (host: string) => string;
}

export function messageMetrics({ registry, siteOf }: MessageMetricsParts): (event: DossierEvent) => void {
  const registers = [registry];
  const accepted = new Counter({
    name: 'posthorn_messages_accepted_total',
    help: 'Messages that were taken in, by the way they came.',
    labelNames: ['via'],
    registers,
  });
  const acceptedBytes = new Counter({
    name: 'posthorn_messages_accepted_bytes_total',
    help: 'Octets of these.',
    labelNames: ['via'],
    registers,
  });
  const refused = new Counter({
    name: 'posthorn_messages_refused_total',
    help: 'Messages and recipients that were not taken in, by class and subject of the status they were told.',
    labelNames: ['status'],
    registers,
  });
  const attempts = new Counter({
    name: 'posthorn_delivery_attempts_total',
    help: 'Ends of attempts, one for each recipient, by site and by what came of it.',
    labelNames: ['site', 'outcome', 'status'],
    registers,
  });
  const deliveryAge = new Histogram({
    name: 'posthorn_delivery_seconds',
    help: 'From the moment a message was begun to be received to its delivery, one for each recipient.',
    labelNames: ['kind'],
    buckets: ages,
    registers,
  });
  const dialogues = new Histogram({
    name: 'posthorn_dialogue_seconds',
    help: 'Time that a host was spoken to for one message.',
    buckets: spans,
    registers,
  });
  const routes = new Histogram({
    name: 'posthorn_route_seconds',
    help: 'Time that a route took to be found: DNS and the policies for TLS.',
    buckets: spans,
    registers,
  });
  const checks = new Histogram({
    name: 'posthorn_sender_check_seconds',
    help: 'Time from the end of a message to what was made of it: SPF, DKIM, DMARC, filters.',
    buckets: spans,
    registers,
  });
  const results = new Counter({
    name: 'posthorn_authentication_results_total',
    help: 'Results of the sender checks on mail from outside, by method.',
    labelNames: ['method', 'result'],
    registers,
  });
  const decisions = new Counter({
    name: 'posthorn_decisions_total',
    help: 'What was decided of mail from outside.',
    labelNames: ['decision'],
    registers,
  });
  const tls = new Counter({
    name: 'posthorn_tls_total',
    help: 'Messages in and dialogues out by version of TLS, and, out, by what the certificate was worth.',
    labelNames: ['direction', 'version', 'certificate'],
    registers,
  });
  const reports = new Counter({
    name: 'posthorn_reports_total',
    help: 'Reports about deliveries that were written, by kind.',
    labelNames: ['kind'],
    registers,
  });

  const sites = nameLabels();
  const ended = (host: string | undefined, outcome: string, status?: string) =>
    attempts.inc({
      site: host === undefined ? 'none' : sites(siteOf(host)),
      outcome,
      status: statusLabel(status),
    });
  return (event) => {
    switch (event.event) {
      case 'accepted': {
        const { via, sizeBytes, tls: shown } = event.data;
        accepted.inc({ via });
        acceptedBytes.inc({ via }, sizeBytes);
        if (via !== 'internal' && via !== 'control')
          tls.inc({ direction: 'in', version: shown?.version ?? 'none', certificate: 'none' });
        return;
      }
      case 'refused':
        return refused.inc({ status: replyLabel(event.data.reply) });
      case 'checked': {
        const { spf, dkim, dmarc, decision, durationMs } = event.data;
        results.inc({ method: 'spf', result: word(spf) });
        results.inc({ method: 'dkim', result: word(dkim) });
        results.inc({ method: 'dmarc', result: word(dmarc) });
        decisions.inc({ decision });
        return checks.observe(durationMs / 1000);
      }
      case 'routed':
        return routes.observe(event.data.durationMs / 1000);
      case 'attempted': {
        const { dialogue, tls: shown } = event.data;
        const [lastMs] = dialogue.at(-1) ?? [];
        if (lastMs !== undefined) dialogues.observe(lastMs / 1000);
        const certificate = shown?.certificate === 'verified' ? 'verified' : shown ? 'other' : 'none';
        return tls.inc({ direction: 'out', version: shown?.version ?? 'none', certificate });
      }
      case 'delivered': {
        const { endpoint, folder } = event.data;
        const kind = folder === undefined ? 'remote' : 'local';
        const begunAt = queueIdTime(event.queueId);
        if (begunAt !== undefined) deliveryAge.observe({ kind }, Math.max(0, event.at - begunAt) / 1000);
        return ended(folder === undefined ? endpoint?.host : 'local', 'delivered', '2.0.0');
      }
      case 'deferred':
      case 'failed':
      case 'inDoubt':
        return ended(event.data.endpoint?.host, event.event, event.data.status);
      case 'reported':
        return reports.inc({ kind: event.data.kind });
      default:
        return;
    }
  };
}

/** `pass (example.com), fail (…)`: the first of a list. */
const word = (result: string): string => /^[a-z]+/.exec(result)?.[0] ?? 'none';
