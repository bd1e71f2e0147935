/** For tests of backups: a data directory with something of everything, its configuration, and a place for snapshots. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openBackupDirectory } from '../backup/directory.ts';
import { makeSnapshot, type SnapshotReport } from '../backup/snapshot.ts';
import { deliver, maildirPath } from '../store/maildir.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import { sampleJob, sampleMessage, temporaryDirectory } from './store.ts';

export interface BackupWorld extends AsyncDisposable {
  readonly store: Store;
  readonly dataDir: string;
  readonly configFile: string;
  /** Of the snapshots. */
  readonly backups: string;
  path(...parts: string[]): string;
  write(path: string, content: string): Promise<void>;
  deliver(account: string, number: number): Promise<string>;
  snapshot(at?: number): Promise<SnapshotReport>;
}

export async function backupWorld(): Promise<BackupWorld> {
  const directory = await temporaryDirectory();
  const path = (...parts: string[]) => join(directory.path, ...parts);
  const dataDir = path('data');
  const configFile = path('etc', 'posthorn.toml');
  const config = { dataDir, file: configFile, hostname: 'mx.example.com', limits: { messageBytes: 1024 } };
  const store = await openStore({ dataDir });
  async function write(file: string, content: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }
  await write(configFile, `hostname = "mx.example.com"\ndataDir = "../data"\n[tls]\ncert = "server.pem"\n`);
  await write(path('etc', 'server.pem'), 'a certificate');
  return {
    store,
    dataDir,
    configFile,
    backups: path('backups'),
    path,
    write,
    async deliver(account, number) {
      const outcome = await deliver({
        maildir: maildirPath(dataDir, account),
        folder: 'Inbox',
        queueId: `D${number}`,
        number: 0,
        acceptedAt: 1000,
        hostname: 'mx.example.com',
        inDoubt: false,
        octets: [Buffer.from(`Subject: ${number}\r\n\r\nHello.\r\n`)],
      });
      if (outcome.kind !== 'delivered') throw new Error(outcome.text);
      return outcome.file;
    },
    async snapshot(at = 1000) {
      using into = await openBackupDirectory(path('backups'), config.dataDir);
      return makeSnapshot({
        config,
        into,
        now: () => at,
        async hold() {
          const frozen = await store.freeze();
          const { signal } = new AbortController();
          const end = async () => {
            if (!(await frozen.end())) throw new Error('not held');
          };
          return { at, live: true, signal, end };
        },
      });
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Accepts a message with a large content for a recipient at another server, and one of ours. */
export async function acceptLarge(store: Store, queueId: string, text: string): Promise<void> {
  const writer = await store.spool.begin();
  await writer.write(Buffer.from(text));
  const content = await writer.commit();
  const { message, jobs } = sampleMessage(queueId);
  const local = {
    number: 1,
    kind: 'local',
    destination: '',
    recipient: 'user@example.com',
    folder: 'Inbox',
  } as const;
  await store.accept({
    ...sampleMessage(queueId),
    message: { ...message, content, sizeBytes: message.prefix.length + text.length },
    jobs: [...jobs, sampleJob(queueId, local)],
  });
}
