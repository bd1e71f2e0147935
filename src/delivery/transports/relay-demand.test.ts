import { expect, test } from 'vitest';
import type { RelayTransport } from '../../config/transport.ts';
import { demandFacts, demandOf } from './relay-demand.ts';

const at = { host: 'relay.example.net', port: 25 };

test.each<[Pick<RelayTransport, 'at' | 'tls'>, string, string]>([
  [{ at, tls: 'verified' }, 'always', 'verified'],
  [{ at, tls: 'required' }, 'always', 'required'],
  [{ at, tls: 'opportunistic' }, 'offered', 'none'],
  [{ at: { socket: '/run/lmtp' }, tls: 'required' }, 'never', 'none'],
])('demandOf() and what the dossier is told of it: %j', (way, use, kind) => {
  expect(demandOf(way).use).toBe(use);
  expect(demandFacts(way).kind).toBe(kind);
});
