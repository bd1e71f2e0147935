/**
 * The operations on a store that is open in this process: the server's own, or one that a command opened because no server
 * runs. Knows neither sockets nor terminals.
 */

import type { DossierEvent } from '../dossier/event.ts';
import { addressKey, parseAddress } from '../mail/address.ts';
import type { Brake } from '../queue/brake/brake.ts';
import type { Directory } from '../queue/directory.ts';
import type { Suppressions } from '../queue/suppressions.ts';
import { readSuspensionHistory } from '../queue/suspensions.ts';
import type { Bans } from '../reception/abuse/bans.ts';
import type { Greylist } from '../reception/greylist/greylist.ts';
import type { SenderHistory } from '../reception/history/history.ts';
import type { EventRow, TraceQuery } from '../store/event-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { type Turnstile, turnstile } from '../util/turnstile.ts';
import { accountOperations, aliasOperations } from './accounts.ts';
import type { Domains } from './addresses.ts';
import type { Admin } from './admin.ts';
import { AdminError } from './admin-error.ts';
import { banOperations } from './ban-operations.ts';
import { brakeOperations } from './brake-operations.ts';
import { type CertificateParts, certificateOperations } from './certificate-operations.ts';
import { greylistOperations } from './greylist-operations.ts';
import { listJudged } from './judged.ts';
import { outlookOfMessage } from './outlook.ts';
import { type QueueOperationsParts, queueOperations } from './queue-operations.ts';
import { receiverOperations } from './receivers.ts';
import { reportOperations } from './report-operations.ts';
import type { Running } from './running.ts';
import { senderListOperations } from './sender-lists.ts';
import { senderOperations } from './sender-operations.ts';
import { snapshotOperations } from './snapshot-operations.ts';
import { suppressionOperations } from './suppression-operations.ts';
import { suspensionOperations } from './suspension-operations.ts';
import { withSuspensions } from './trace-suspensions.ts';

export interface LocalAdminParts extends Pick<QueueOperationsParts, 'siteOf' | 'bounce'> {
  store: Store;
  domains: Domains;
  /** Of the configuration. */
  policies: readonly { name: string }[];
  directory: Directory;
  /** The server's own, or read when they are needed. */
  suppressions(): Promise<Suppressions>;
  /** The same. */
  bans(): Promise<Bans>;
  brake(): Promise<Brake>;
  /** The server's own, or read when it is needed: then it is written back before the answer. */
  greylist(): Promise<Greylist>;
  /** Likewise. */
  senders(): Promise<SenderHistory>;
  /** Where the mailboxes are. */
  dataDir?: string;
  /** What is removed is kept for so long. */
  graceMs?: number;
  clock: Clock;
  /** Dossiers are kept for so long. */
  dossierMs: number;
  /** Whoever changes an account waits for its turn. Default: nobody else is there. */
  turns?: Turnstile;
  /** Absent where no server runs. */
  certificates?: CertificateParts;
  /** Absent where no server runs. */
  running?: Running;
}

/** Dossiers in one answer, however many are asked for. */
const maxDossiers = 1000;

/** `close()` leaves the store alone: it belongs to whoever opened it. */
export function localAdmin(parts: LocalAdminParts): Admin {
  const { store, domains, policies, directory, clock, running, turns = turnstile(1) } = parts;
  const changed = (removed?: string) => {
    directory.forget();
    running?.accountsChanged(removed);
  };
  const accountParts = {
    ...{ store, domains, policies, clock, turns, changed },
    ...{ senders: parts.senders, greylist: parts.greylist },
    ...{ dataDir: parts.dataDir, graceMs: parts.graceMs, endSessions: running?.endSessions },
  };
  const look = (all: boolean) => running?.look(all);
  return {
    ...accountOperations(accountParts),
    ...aliasOperations(accountParts),
    ...senderListOperations(accountParts),
    ...greylistOperations(parts),
    ...senderOperations(parts),
    ...receiverOperations({ store, now: clock.now, forgotten: (site) => running?.receiversForgotten(site) }),
    outlook: ({ queueId }) => outlookOfMessage({ store, clock, running }, queueId),
    ...queueOperations({
      ...parts,
      look,
      withhold: running && ((matches, recall) => running.withhold(matches, recall)),
      inLine: () => running?.inLine() ?? [],
    }),
    ...suppressionOperations(parts),
    ...banOperations(parts),
    ...certificateOperations(parts.certificates),
    ...reportOperations(store),
    ...brakeOperations({ ...parts, look: () => look(false) }),
    // A running server has its own, which outlive a reload.
    ...snapshotOperations({ clock }),
    ...suspensionOperations({
      ...parts,
      rememberMs: parts.dossierMs,
      changed: async (suspensions) => running?.suspend(suspensions),
      look: () => look(false),
    }),
    async trace({ subject, limit }) {
      const events = await trace(store, subject, Math.min(limit, maxDossiers));
      const isLocal = (domain: string) => directory.isLocal(domain);
      return withSuspensions(events, await readSuspensionHistory(store), { now: clock.now(), isLocal });
    },
    listJudged: (request) => listJudged(store, request),
    async send({ from, recipients, content }) {
      if (running === undefined)
        throw noServer('could send this', 'To send without one: posthorn send --direct');
      return running.submit(from, recipients, content);
    },
    async handIn() {
      throw noServer('could take this', 'To hand in without one: [sendmail] enabled = true.');
    },
    async heardRefusals() {
      throw noServer('has told any', 'There is nothing to do.');
    },
    async checkAddress({ address, ...options }) {
      if (running === undefined) throw noServer('could check this', 'To check without one: posthorn check');
      return running.checkAddress(address, options);
    },
    async lookAtSources() {
      if (running === undefined)
        throw noServer('could look at its addresses', 'To look without one: posthorn doctor');
      return running.lookAtSources();
    },
    async reload() {
      throw noServer('could read its configuration anew', 'It is read at the start.');
    },
    async whoRuns() {
      if (running === undefined) throw noServer('has the data', 'This command has them itself.');
      return { pid: process.pid, isHandingOver: false };
    },
    async handOver() {
      throw noServer('could hand over', 'Without one there is nothing to hand over.');
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
