/**
 * The operations on a store that is open in this process: the server's own, or one that a command opened because no server
 * runs. Knows neither sockets nor terminals.
 */

import type { AddressCheck } from '../delivery/check-address.ts';
import type { SourceReport } from '../delivery/guard/guard.ts';
import type { DossierEvent } from '../dossier/event.ts';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { SiteOutlook } from '../queue/outlook.ts';
import type { EventRow, JobRow, Store, TraceQuery } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { accountOperations, aliasOperations } from './accounts.ts';
import type { Domains } from './addresses.ts';
import { type Admin, AdminError, type SendResult } from './admin.ts';
import { outlookOfMessage } from './outlook.ts';
import { receiverOperations } from './receivers.ts';

/** What only a running server can do. */
export interface Running {
  /** Takes a message as from the owner of this machine. Rejects with an AdminError('refused') where nobody gets it. */
  submit(from: string, recipients: string[], content: Buffer): Promise<SendResult>;
  /** Rejects with an AdminError('too-many'). */
  checkAddress(address: string): Promise<AddressCheck>;
  /** Jobs may have become due. */
  wake(): void;
  /** Accounts or aliases have changed: what was remembered of them is not true any more. */
  accountsChanged(): void;
  /** How the site of a waiting job stands. */
  outlookOf(job: JobRow, sentBy: { reversePath: string }): Promise<SiteOutlook>;
  /** Deliveries at once. */
  concurrency: number;
  /** What was learned of a receiving site, or of all, counts no more. */
  receiversForgotten(site: string | undefined): void;
  lookAtSources(): Promise<SourceReport[]>;
}

export interface LocalAdminParts {
  store: Store;
  domains: Domains;
  clock: Clock;
  /** Absent where no server runs. */
  running?: Running;
}

/** Dossiers in one answer, however many are asked for. */
const maxDossiers = 1000;
/** Jobs on one page. */
const maxPage = 1000;
/** Jobs dropped at once: mail that comes in meanwhile waits for no more than that. */
const dropStep = 500;

/** `close()` leaves the store alone: it belongs to whoever opened it. */
export function localAdmin({ store, domains, clock, running }: LocalAdminParts): Admin {
  const accountParts = { store, domains, clock, changed: () => running?.accountsChanged() };
  return {
    ...accountOperations(accountParts),
    ...aliasOperations(accountParts),
    ...receiverOperations({ store, forgotten: (site) => running?.receiversForgotten(site) }),
    trace: ({ subject, limit }) => trace(store, subject, Math.min(limit, maxDossiers)),
    listQueue: (request) => store.listJobs({ ...request, limit: Math.min(request.limit, maxPage) }),
    outlook: ({ queueId }) => outlookOfMessage({ store, clock, running }, queueId),
    async retryQueue(filter) {
      const count = await store.retryJobs(filter, clock.now());
      running?.wake();
      return { count };
    },
    async dropQueue(filter) {
      const event = { at: clock.now(), event: 'dropped', data: { by: 'an administrator' } };
      const jobs = await store.dropJobs(filter, event, dropStep);
      return { jobs, more: jobs.length === dropStep };
    },
    async send({ from, recipients, content }) {
      if (running === undefined)
        throw noServer('could send this', 'To send without one: posthorn send --direct');
      return running.submit(from, recipients, content);
    },
    async checkAddress({ address }) {
      if (running === undefined) throw noServer('could check this', 'To check without one: posthorn check');
      return running.checkAddress(address);
    },
    async lookAtSources() {
      if (running === undefined)
        throw noServer('could look at its addresses', 'To look without one: posthorn doctor');
      return running.lookAtSources();
    },
    close: async () => undefined,
  };
}

/** The first reading of the subject that finds something; an address may also be a Message-ID without its brackets. */
async function trace(store: Store, subject: string, limit: number): Promise<DossierEvent[]> {
  for (const query of readSubject(subject.trim())) {
    const events = await store.trace({ ...query, limit });
    if (events.length > 0) return events.map(toDossierEvent);
  }
  return [];
}

function readSubject(subject: string): Omit<TraceQuery, 'limit'>[] {
  if (/^<.*>$/.test(subject)) return [{ messageId: subject }];
  // Crockford's base 32, see util/queue-id.ts.
  if (/^[0-9A-HJKMNP-TV-Z]{14}$/i.test(subject)) return [{ queueId: subject.toUpperCase() }];
  const address = parseAddress(subject);
  return [
    ...(address === undefined ? [] : [{ address: addressKey(address) }]),
    { messageId: `<${subject}>` },
  ];
}

/** What the store keeps was written as a DossierEvent; it only does not know the vocabulary. */
const toDossierEvent = (row: EventRow): DossierEvent => row as DossierEvent;

const noServer = (what: string, otherwise: string) =>
  new AdminError(
    'no-server',
    `No server is running that ${what}. Start it with: posthorn serve. ${otherwise}`,
  );
