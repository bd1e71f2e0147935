/**
 * What of a message took time, as a span tells it: a fold over the events of its dossier. No addresses of people: domains,
 * hosts and figures.
 */

import type { Attributes } from '@opentelemetry/api';
import type { DossierEvent } from '../dossier/event.ts';
import { queueIdTime } from '../util/queue-id.ts';
import { replyLabel } from './labels.ts';

export interface Timed {
  name: string;
  kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  /** Both in ms since the epoch. */
  startMs: number;
  endMs: number;
  attributes: Attributes;
  /** Why it went wrong. */
  error?: string;
}

/** Undefined for what took no time that anybody would ask for. */
export function timedOf(event: DossierEvent): Timed | undefined {
  const { at, queueId } = event;
  const begunAt = Math.min(queueIdTime(queueId) ?? at, at);
  const domain = event.recipient?.slice(event.recipient.lastIndexOf('@') + 1);
  const of = domain === undefined ? {} : { 'posthorn.recipient_domain': domain };
  switch (event.event) {
    case 'accepted': {
      const { via, sizeBytes, to } = event.data;
      const attributes = {
        'posthorn.via': via,
        'posthorn.size': sizeBytes,
        'posthorn.recipients': to.length,
      };
      const isOurs = via === 'internal';
      return {
        ...{ name: isOurs ? 'write' : 'receive', kind: isOurs ? 'INTERNAL' : 'SERVER' },
        ...{ startMs: begunAt, endMs: at, attributes },
      };
    }
    case 'refused': {
      const status = replyLabel(event.data.reply);
      const attributes = { 'posthorn.status': status };
      return { name: 'refuse', kind: 'SERVER', startMs: begunAt, endMs: at, attributes, error: status };
    }
    case 'checked': {
      const { spf, dmarc, decision, durationMs } = event.data;
      const attributes = { 'posthorn.spf': spf, 'posthorn.dmarc': dmarc, 'posthorn.decision': decision };
      return { name: 'check sender', kind: 'INTERNAL', startMs: at - durationMs, endMs: at, attributes };
    }
    case 'routed': {
      const attributes = { ...of, 'posthorn.hosts': event.data.hosts };
      return {
        ...{ name: 'find route', kind: 'INTERNAL', attributes },
        ...{ startMs: at, endMs: at + event.data.durationMs },
      };
    }
    case 'attempted': {
      const { endpoint, dialogue, tls, error } = event.data;
      const [lastMs = 0] = dialogue.at(-1) ?? [];
      const attributes = {
        'server.address': endpoint.host,
        'server.port': endpoint.port,
        'network.peer.address': endpoint.address,
        ...(tls && { 'tls.protocol.version': tls.version }),
      };
      return {
        ...{ name: 'speak', kind: 'CLIENT', startMs: at, endMs: at + lastMs, attributes },
        ...(error !== undefined && { error }),
      };
    }
    case 'ran': {
      const [program = ''] = event.data.command;
      const attributes = { ...of, 'process.executable.path': program };
      return { name: 'run', kind: 'INTERNAL', startMs: at, endMs: at + event.data.durationMs, attributes };
    }
    case 'delivered':
      return { name: 'deliver', kind: 'INTERNAL', startMs: begunAt, endMs: at, attributes: of };
    case 'failed': {
      const { status, phase } = event.data;
      const attributes = { ...of, 'posthorn.status': status };
      return { name: 'deliver', kind: 'INTERNAL', startMs: begunAt, endMs: at, attributes, error: phase };
    }
    case 'deferred':
    case 'inDoubt': {
      const { status = '', phase = event.event } = event.data;
      const attributes = { ...of, 'posthorn.status': status };
      return { name: event.event, kind: 'INTERNAL', startMs: at, endMs: at, attributes, error: phase };
    }
    default:
      return undefined;
  }
}

/** What an attempt is made of; each lies in its time. */
const steps: ReadonlySet<string> = new Set(['find route', 'speak', 'run']);

/** The attempt that these belong to, from the first of them to the last; undefined where nothing of it took time. */
export function attemptOf(all: readonly Timed[]): Timed | undefined {
  const own = all.filter(({ name }) => steps.has(name));
  if (own.length === 0) return undefined;
  const failing = all.find(({ name, error }) => !steps.has(name) && error !== undefined);
  return {
    ...{ name: 'attempt', kind: 'INTERNAL', attributes: {} },
    startMs: Math.min(...own.map(({ startMs }) => startMs)),
    endMs: Math.max(...own.map(({ endMs }) => endMs)),
    ...(failing?.error !== undefined && { error: failing.error }),
  };
}

/** It began with the message, before the attempt: it is no part of that. */
export const isOfWholeLife = ({ name }: Timed): boolean => name === 'deliver';
