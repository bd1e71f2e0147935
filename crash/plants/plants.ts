/**
 * The test of the test: faults of the kind that crash points are there to find, planted one at a time into a copy of the
 * source. Each is a change of a few words that any review could miss, and no other test would see.
 */

import type { Wrong } from '../points/judge/judge.ts';
import type { ActName } from '../points/script/acts.ts';

export interface Edit {
  /** Below the root of the tree. */
  file: string;
  /** Stands there exactly once; or the plant has to be thought over, as the source has changed. */
  find: string;
  replace: string;
}

export interface Plant {
  name: string;
  /** What is wrong with the copy. */
  description: string;
  edits: readonly Edit[];
  /** What must happen for it to show. */
  acts: readonly ActName[];
  /** What it must be found as: one of these. */
  shows: readonly Wrong[];
}

export const plants: readonly Plant[] = [
  {
    name: 'fsync-removed',
    description: 'a message is renamed into a mailbox without its octets having been synced',
    edits: [
      { file: 'src/store/maildir-batch.ts', find: '    await fsync(draft.descriptor);\n', replace: '' },
    ],
    acts: ['mailbox'],
    shows: ['half'],
  },
  {
    name: 'rename-too-early',
    description:
      'a message gets its name in new/ before it is synced, though it is synced before anybody is told',
    edits: [
      {
        file: 'src/store/maildir-batch.ts',
        find: 'written.map((draft) => andThen(draft, syncDraft))',
        replace: 'written.map((draft) => andThen(draft, moveDraft))',
      },
      {
        file: 'src/store/maildir-batch.ts',
        find: 'synced.map((draft) => andThen(draft, moveDraft))',
        replace: 'synced.map((draft) => andThen(draft, syncDraft))',
      },
    ],
    acts: ['mailbox'],
    shows: ['half'],
  },
  {
    name: 'reply-too-early',
    description: '250 is said while the message is still on its way to the disk',
    edits: [
      {
        file: 'src/queue/queue.ts',
        find: 'await this.#parts.store.accept({ ...entry, claimed });',
        replace: 'void this.#parts.store.accept({ ...entry, claimed });',
      },
    ],
    acts: ['mailbox', 'remote'],
    shows: ['missing'],
  },
  {
    name: 'spool-not-synced',
    description: 'a large message is in the queue before its octets are on disk',
    edits: [{ file: 'src/store/spool.ts', find: '        await file.sync();\n', replace: '' }],
    acts: ['large'],
    shows: ['missing'],
  },
  {
    name: 'spool-file-given-away',
    description: 'the file of a message that waits for another attempt is used for the next one',
    edits: [
      {
        file: 'src/store/sqlite/messages.ts',
        find: 'return someDone ? removeIfDone(queueId) : undefined;',
        replace:
          'if (someDone) removeIfDone(queueId); return spooled.all().find((name) => name !== null) ?? undefined;',
      },
    ],
    acts: ['large'],
    shows: ['missing'],
  },
  {
    name: 'settle-in-two',
    description:
      'the end of a job is committed first, and the report about its failure in a transaction of its own',
    edits: [
      {
        file: 'src/queue/settle-with-room.ts',
        find: 'return await store.settle(settlement);',
        replace:
          'await store.settle({ ...settlement, reports: [] }); for (const report of settlement.reports) await store.accept(report); return;',
      },
    ],
    acts: ['bounced'],
    shows: ['missing'],
  },
  {
    name: 'leftovers-not-synced',
    description:
      'what a killed process wrote to the log and did not sync is followed by the next transaction',
    edits: [{ file: 'src/store/sqlite/open-engine.ts', find: '  syncLeftovers(files.log);\n', replace: '' }],
    acts: ['killedInCommit'],
    shows: ['start'],
  },
  {
    name: 'found-not-synced',
    description:
      'a delivery that a killed process had not come to the end of is found, and its name is not synced',
    edits: [{ file: 'src/store/maildir.ts', find: '    await syncDirectory(directory);\n', replace: '' }],
    acts: ['killedInDelivery'],
    shows: ['missing'],
  },
  {
    name: 'sums-not-synced',
    description: 'the log is begun anew before the sums of the pages that were copied out of it are on disk',
    edits: [
      {
        file: 'src/store/sqlite/pages/sums.ts',
        find: '    fsyncSync(this.#file);\n  }\n\n  close(): void {',
        replace: '  }\n\n  close(): void {',
      },
    ],
    acts: ['checkpoint'],
    shows: ['start'],
  },
];
