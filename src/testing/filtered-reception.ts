/** A reception that shows its mail to filters: its setting, a letter to show, and what the dossier has of them afterwards. */

import { completeFilter, type FilterConfig, type FilterInput } from '../config/filter.ts';
import type { ReceptionSetup } from './behind-doors.ts';

export const bob = 'bob@example.com';
export const eve = 'eve@example.com';
export const inbound: ReceptionSetup = {
  via: 'smtp',
  accounts: [bob, eve],
  records: {
    'client.example': { A: ['192.0.2.1'] },
    '1.2.0.192.in-addr.arpa': { PTR: ['client.example'] },
  },
};
export const content =
  'Authentication-Results: mx.example.com; spf=pass\r\nFrom: a@good.example\r\nSubject: x\r\n\r\nHello.\r\n';
export const letter = { from: 'a@good.example', to: bob, content };

export const filter = (input: FilterInput, place: FilterConfig['place']): FilterConfig => ({
  ...completeFilter({ timeoutSeconds: 10, ...input }),
  place,
});

/** What the dossier has of the filters. */
export function filtered(events: readonly { event: string; data: Record<string, unknown> }[]) {
  const { decision, rule, facts } = events.find(({ event }) => event === 'checked')?.data ?? {};
  return { decision, rule, ...(typeof facts === 'object' && facts) };
}
