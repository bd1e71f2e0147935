/**
 * What happens to messages, counted: a fold over the same events that dossiers are made of, so that both tell one story.
 * A message's age is told by its queue id.
 */

import type { Registry } from 'prom-client';
import type { DossierEvent } from '../dossier/event.ts';
import { queueIdTime } from '../util/queue-id.ts';
import { nameLabels, replyLabel, statusLabel } from './labels.ts';
import { type MessageSeries, messageSeries } from './message-series.ts';

export interface MessageMetricsParts {
  registry: Registry;
  /** The name of the receiving site to which a host belongs. */
  siteOf: (host: string) => string;
}

type EventOf<Name extends DossierEvent['event']> = Extract<DossierEvent, { event: Name }>;

export function messageMetrics({ registry, siteOf }: MessageMetricsParts): (event: DossierEvent) => void {
  const series = messageSeries(registry);
  const sites = nameLabels();
  const ended = (host: string | undefined, outcome: string, status?: string) =>
    series.attempts.inc({
      site: host === undefined ? 'none' : sites(siteOf(host)),
      outcome,
      status: statusLabel(status),
    });
  return (event) => {
    switch (event.event) {
      case 'accepted':
        return countAccepted(series, event);
      case 'refused':
        return series.refused.inc({ status: replyLabel(event.data.reply) });
      case 'checked':
        return countChecked(series, event);
      case 'routed':
        return series.routes.observe(event.data.durationMs / 1000);
      case 'attempted':
        return countAttempted(series, event);
      case 'delivered': {
        const { endpoint, folder } = event.data;
        countAge(series, event);
        return ended(folder === undefined ? endpoint?.host : 'local', 'delivered', '2.0.0');
      }
      case 'deferred':
      case 'failed':
      case 'inDoubt':
        return ended(event.data.endpoint?.host, event.event, event.data.status);
      case 'reported':
        return series.reports.inc({ kind: event.data.kind });
      default:
        return;
    }
  };
}

function countAccepted({ accepted, acceptedBytes, tls }: MessageSeries, { data }: EventOf<'accepted'>): void {
  const { via, sizeBytes, tls: shown } = data;
  accepted.inc({ via });
  acceptedBytes.inc({ via }, sizeBytes);
  if (via !== 'internal' && via !== 'control')
    tls.inc({ direction: 'in', version: shown?.version ?? 'none', certificate: 'none' });
}

function countChecked({ results, decisions, checks }: MessageSeries, { data }: EventOf<'checked'>): void {
  const { spf, dkim, dmarc, decision, durationMs } = data;
  results.inc({ method: 'spf', result: word(spf) });
  results.inc({ method: 'dkim', result: word(dkim) });
  results.inc({ method: 'dmarc', result: word(dmarc) });
  decisions.inc({ decision });
  checks.observe(durationMs / 1000);
}

function countAttempted({ dialogues, tls }: MessageSeries, { data }: EventOf<'attempted'>): void {
  const { dialogue, tls: shown } = data;
  const [lastMs] = dialogue.at(-1) ?? [];
  if (lastMs !== undefined) dialogues.observe(lastMs / 1000);
  const certificate = shown?.certificate === 'verified' ? 'verified' : shown ? 'other' : 'none';
  tls.inc({ direction: 'out', version: shown?.version ?? 'none', certificate });
}

function countAge({ deliveryAge }: MessageSeries, { data, queueId, at }: EventOf<'delivered'>): void {
  const kind = data.folder === undefined ? 'remote' : 'local';
  const begunAt = queueIdTime(queueId);
  if (begunAt !== undefined) deliveryAge.observe({ kind }, Math.max(0, at - begunAt) / 1000);
}

/** `pass (example.com), fail (…)`: the first of a list. */
const word = (result: string): string => /^[a-z]+/.exec(result)?.[0] ?? 'none';
