/** Our own server as its administrator sees it: a file, `bin/posthorn serve`, and the command line. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { type Finished, type Running, run, runOk, start } from '../process.ts';
import { readLog, type World } from '../world.ts';

export type Protocol = 'smtp' | 'submission' | 'submissions' | 'lmtp' | 'pop3' | 'pop3s' | 'http' | 'https';

/** A table of posthorn.toml. */
type Table = Record<string, unknown>;

export interface PosthornOptions {
  /** Names its folder; default `posthorn`. */
  name?: string;
  hostname?: string;
  /** Default: a listener of each. */
  protocols?: readonly Protocol[];
  /** Those that others have to know before it runs; the rest are free ones. */
  ports?: Partial<Record<Protocol, number>>;
  /** Unix sockets for LMTP, by their paths. */
  sockets?: readonly string[];
  domains?: readonly Table[];
  /** Names for its certificate besides the hostname. */
  hosts?: readonly string[];
  /** False: without a certificate of the world's authority. */
  tls?: boolean;
  /** An `http` listener is for a web server in front. */
  proxied?: boolean;
  /** Password by address. */
  accounts?: Readonly<Record<string, string>>;
  /** Port of a name server at 127.0.0.1. */
  dnsPort?: number;
  /** Of a name server, `address:port`, instead. */
  resolver?: string;
  /** The proxies that all listeners are behind. */
  proxyProtocol?: readonly string[];
  relay?: Table;
  transports?: readonly Table[];
  delivery?: Table;
  limits?: Table;
  /** Whatever else the file is to say. */
  more?: Table;
  /** Default: `data` in its own folder. */
  dataDir?: string;
  /** A command and its arguments that ours are appended to: `nsenter …`. */
  inside?: readonly string[];
  /** The command to run; default: the repository's own, which runs from source. */
  program?: string;
}

export interface Posthorn {
  readonly pid: number;
  readonly configFile: string;
  readonly dataDir: string;
  port(protocol: Protocol): number;
  /** The folder of an account's Maildir. */
  maildir(address: string): string;
  /** `bin/posthorn ARGS --config …`; `input` goes to its standard input. */
  command(args: readonly string[], input?: string): Promise<Finished>;
  /** What it logged so far, all runs together. */
  log(): Promise<string>;
  /** Everything that the present run has said on standard output. */
  said(): string;
  /** The exit code of the present run when it has ended, by itself or not; null after a signal. */
  readonly exited: Promise<number | null>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`; resolves when it says that it is ready. */
  start(): Promise<void>;
}

export const program = join(import.meta.dirname, '..', '..', 'bin', 'posthorn');

const allProtocols: readonly Protocol[] = ['smtp', 'submission', 'submissions', 'pop3', 'pop3s'];

/** Writes the configuration, adds the accounts while the server is down, and starts it. */
export async function startPosthorn(world: World, options: PosthornOptions = {}): Promise<Posthorn> {
  const dir = world.path(options.name ?? 'posthorn');
  await mkdir(dir, { recursive: true });
  const configFile = join(dir, 'posthorn.toml');
  const dataDir = options.dataDir ?? join(dir, 'data');
  const ports = new Map<Protocol, number>();
  for (const protocol of options.protocols ?? allProtocols)
    ports.set(protocol, options.ports?.[protocol] ?? (await world.port()));
  await writeFile(configFile, await configuration(world, options, { dataDir, ports }));
  const [first = program, ...words] = [...(options.inside ?? []), options.program ?? program];
  const call = (args: readonly string[]): [string, string[]] => [
    first,
    [...words, ...args, '--config', configFile],
  ];
  const command = (args: readonly string[], input = '') => run(...call(args), { input });
  const accounts = Object.entries(options.accounts ?? {}).map((fields) => fields.map(quoted).join(','));
  if (accounts.length > 0) await runOk(...call(['account', 'import', '-']), { input: accounts.join('\n') });
  const log = world.watchLog(join(dir, 'log'));
  let running: Running | undefined;
  const launch = async () => {
    running = start(...call(['serve']), log, dir);
    await running.line(/^posthorn ready$/);
  };
  await launch();
  world.atEnd(async () => running?.stop());
  return {
    configFile,
    dataDir,
    command,
    get pid() {
      return running?.pid ?? 0;
    },
    get exited() {
      return running?.exited ?? Promise.resolve(null);
    },
    port: (protocol) => ports.get(protocol) ?? 0,
    maildir: (address) => join(dataDir, 'accounts', address, 'Maildir'),
    log: () => readLog(log),
    said: () => running?.stdout() ?? '',
    stop: async () => (await running?.stop()) ?? null,
    kill: async () => running?.kill(),
    start: launch,
  };
}

async function configuration(
  world: World,
  options: PosthornOptions,
  { dataDir, ports }: { dataDir: string; ports: ReadonlyMap<Protocol, number> },
): Promise<string> {
  const { hostname = 'mx.example.com', domains = [{ name: 'example.com' }] } = options;
  const authority = await world.authority();
  return stringify({
    hostname,
    dataDir,
    ...(options.dnsPort === undefined ? {} : { resolver: [`127.0.0.1:${options.dnsPort}`] }),
    ...(options.resolver === undefined ? {} : { resolver: [options.resolver] }),
    listener: [
      ...[...ports].map(([protocol, port]) => ({
        protocol,
        port,
        address: '127.0.0.1',
        ...(options.proxyProtocol && { proxyProtocol: options.proxyProtocol }),
        ...(options.proxied && protocol === 'http' && { proxied: true }),
      })),
      ...(options.sockets ?? []).map((socket) => ({ protocol: 'lmtp', socket })),
    ],
    ...(options.tls !== false && { tls: await authority.issue(hostname, ...(options.hosts ?? [])) }),
    domain: domains,
    relay: options.relay ?? {},
    transport: options.transports ?? [],
    delivery: { allowPrivateAddresses: true, caFile: authority.caFile, ...options.delivery },
    limits: options.limits ?? {},
    ...options.more,
  });
}

/** As a field of a CSV file. */
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
