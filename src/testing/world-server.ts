/**
 * One server of a world: a real `posthorn.toml` with its keys and certificates in a directory of its own, the server that
 * was started from it, and what people do with it: send, read, ask what happened.
 */

import { cpSync, lstatSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify, type TomlTable } from 'smol-toml';
import type { Admin } from '../admin/admin.ts';
import { openAdmin } from '../admin/open-admin.ts';
import type { Config } from '../config/config.ts';
import type { Protocol } from '../config/listeners.ts';
import { loadConfig } from '../config/load.ts';
import type { DossierEvent, Endpoint } from '../dossier/event.ts';
import { type RecipientSummary, summarise } from '../dossier/summary.ts';
import { formatTimeline } from '../dossier/timeline.ts';
import { type RunningServer, startServer } from '../server.ts';
import { maildirPath } from '../store/maildir.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import type { Reloaded } from '../wiring/reloading.ts';
import { eventually } from './eventually.ts';
import { type Letter, readLetter } from './letter.ts';
import { LogFile } from './log-file.ts';
import { type Fetched, fetchByPop3 } from './pop3-client.ts';
import { type Sending, type Sent, sendMail } from './smtp-client.ts';

export interface WorldServerParts {
  config: Config;
  /** The file of the server's own log. */
  logFile: string;
  /** Of the certificate authority, PEM. */
  authority: string;
  clock?: Clock | undefined;
}

export class WorldServer {
  readonly logFile: string;
  #config: Config;
  readonly #authority: string;
  readonly #clock: Clock;
  readonly #passwords = new Map<string, string>();
  #running: { server: RunningServer; output: LogFile } | undefined;

  constructor({ config, logFile, authority, clock = systemClock }: WorldServerParts) {
    this.#config = config;
    this.logFile = logFile;
    this.#authority = authority;
    this.#clock = clock;
  }

  /** In force, or to be. */
  get config(): Config {
    return this.#config;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) throw new Error(`${this.config.hostname} runs already`);
    const output = new LogFile(this.logFile);
    const log = createLog('info', output);
    const { config } = this;
    const readConfig = () => loadConfig(config.file);
    const server = await startServer({ config, log, clock: this.#clock, readConfig });
    this.#running = { server, output };
  }

  /** Changes `posthorn.toml`, and has it put in force. Where that rejects, the file is as it was written all the same. */
  async reload(change: (settings: TomlTable) => void): Promise<Reloaded> {
    if (this.#running === undefined) throw new Error(`${this.config.hostname} does not run`);
    const { file } = this.config;
    const settings = parse(await readFile(file, 'utf8'));
    change(settings);
    await writeFile(file, stringify(settings));
    const reloaded = await this.#running.server.reload();
    this.#config = await loadConfig(file);
    return reloaded;
  }

  /** As SIGTERM does. Everything on disk stays; harmless where it does not run. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.server.stop();
    running?.output.close();
  }

  /**
   * As SIGKILL does: the next start finds what is on disk at the moment of this call, whatever follows. Resolves when the
   * sockets are closed; `meanwhile` ends what would hold that up, such as a peer that does not answer.
   */
  async kill(meanwhile: () => PromiseLike<void> = async () => undefined): Promise<void> {
    const { dataDir } = this.config;
    const image = `${dataDir}-killed`;
    const isSocket = (path: string) => lstatSync(path).isSocket();
    cpSync(dataDir, image, { recursive: true, filter: (path) => !isSocket(path) });
    await meanwhile();
    await this.stop();
    await rm(dataDir, { recursive: true });
    await rename(image, dataDir);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Where it answers; its first address unless `address` says otherwise. */
  endpoint(protocol: Protocol, address?: string): Endpoint {
    const listener = this.config.listeners.find(
      (each) => each.protocol === protocol && (address ?? each.address) === each.address,
    );
    if (listener === undefined) throw new Error(`${this.config.hostname} has no ${protocol} listener`);
    return { host: this.config.hostname, address: listener.address, port: listener.port };
  }

  /** What the commands do: through the control socket, or on the store where the server does not run. */
  async withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = await openAdmin(this.config, systemClock);
    try {
      return await use(admin);
    } finally {
      await admin.close();
    }
  }

  async addAccount(address: string, password: string): Promise<void> {
    await this.withAdmin((admin) => admin.addAccount({ address, password }));
    this.#passwords.set(address, password);
  }

  /** By authenticated submission with STARTTLS, as the user `as` (default: the letter's sender). */
  submit(letter: Letter, as = letter.from): Promise<Sent> {
    const credentials = { user: as, password: this.#passwordOf(as) };
    return this.#send(letter, { endpoint: this.endpoint('submission'), credentials });
  }

  /** As a stranger's server does: at the MX port, without authentication, from 127.0.0.1. */
  receive(letter: Letter, ehloName?: string): Promise<Sent> {
    const introduction = ehloName === undefined ? {} : { ehloName };
    return this.#send(letter, { endpoint: this.endpoint('smtp'), ...introduction });
  }

  /** The whole inbox, by POP3 over TLS; it stays as it is. */
  fetch(account: string): Promise<Fetched> {
    const password = this.#passwordOf(account);
    const endpoint = this.endpoint('pop3s');
    return fetchByPop3({ endpoint, authority: this.#authority, user: account, password });
  }

  /** Waits until so many messages have arrived, and fetches the inbox as text. */
  async inbox(account: string, atLeast = 1): Promise<string[]> {
    let there = 0;
    await eventually(
      async () => {
        there = (await this.files(account)).length;
        return there >= atLeast || undefined;
      },
      { explain: () => `${there} of ${atLeast} messages in the inbox of ${account}` },
    );
    const { messages } = await this.fetch(account);
    return messages.map((message) => message.toString());
  }

  /** Paths of the messages in a folder's Maildir. */
  async files(account: string, folder: 'Inbox' | 'Junk' = 'Inbox'): Promise<string[]> {
    const maildir = maildirPath(this.config.dataDir, account);
    const root = folder === 'Inbox' ? maildir : join(maildir, `.${folder}`);
    const lists = ['new', 'cur'].map(async (part) => {
      const names = await readdir(join(root, part)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []; // made with its first message
        throw error;
      });
      return names.map((name) => join(root, part, name));
    });
    return (await Promise.all(lists)).flat();
  }

  /** The dossiers of the matching messages: by queue id, Message-ID or address. */
  trace(subject: string): Promise<DossierEvent[]> {
    return this.withAdmin((admin) => admin.trace({ subject, limit: 100 }));
  }

  /** Waits until the dossier holds an event of that name, and resolves to the first one. */
  async event<Name extends DossierEvent['event']>(
    subject: string,
    name: Name,
  ): Promise<Extract<DossierEvent, { event: Name }>> {
    type Wanted = Extract<DossierEvent, { event: Name }>;
    const isWanted = (event: DossierEvent): event is Wanted => event.event === name;
    return eventually(async () => (await this.trace(subject)).find(isWanted), {
      explain: async () => `no "${name}" event. ${await this.#story(subject)}`,
    });
  }

  /** Waits until every recipient of a message has been tried, or put off; resolves to what became of them. */
  async settled(queueId: string, timeoutMs?: number): Promise<RecipientSummary[]> {
    await eventually(
      async () => {
        const { jobs } = await this.withAdmin((admin) => admin.listQueue({ queueId, limit: 1000 }));
        return jobs.every(({ attempts, memo }) => attempts > 0 || memo?.putOff !== undefined) || undefined;
      },
      {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        explain: async () => `not every recipient has been tried. ${await this.#story(queueId)}`,
      },
    );
    return summarise(await this.trace(queueId));
  }

  async #send(letter: Letter, how: Pick<Sending, 'endpoint' | 'credentials' | 'ehloName'>): Promise<Sent> {
    const { from, smtputf8 = false, requests, recipientRequests } = letter;
    const asked = { smtputf8, requests, recipientRequests };
    return sendMail({ ...how, ...(await readLetter(letter)), from, ...asked, authority: this.#authority });
  }

  async #story(subject: string): Promise<string> {
    const story = formatTimeline(await this.trace(subject), { explain: false });
    return story === '' ? `Nothing is known of ${subject}.` : `What happened:\n${story}`;
  }

  #passwordOf(account: string): string {
    const password = this.#passwords.get(account);
    if (password === undefined) throw new Error(`${this.config.hostname} has no account ${account}`);
    return password;
  }
}
