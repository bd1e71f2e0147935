/**
 * A Postfix of our own: its configuration, queue and log lie in a world's folder, its port is high, and nothing of
 * the machine's own Postfix is touched. postconf(5), master(5).
 */

import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk, start } from '../process.ts';
import { eventually, listening } from '../wait.ts';
import { readLog, type World } from '../world.ts';

export interface PostfixOptions {
  /** Names its folder; default `postfix`. */
  name?: string;
  /** Added to main.cf, and stronger than what is there. */
  parameters?: Readonly<Record<string, string>>;
  /** Lines of master.cf besides those that are there. */
  services?: string;
  /** Addresses that get a Maildir here. */
  mailboxes?: readonly string[];
  /** Where it listens. Default: 127.0.0.1, and a free port. */
  at?: { address: string; port: number };
  /** Where it listens, at port 25, instead of a high port of 127.0.0.1. */
  network?: { inside: readonly string[]; addresses: readonly string[] };
}

export interface Postfix {
  readonly port: number;
  /** The pid of master(8), the parent of all its processes. */
  readonly pid: number;
  /** The folder of a mailbox's Maildir. */
  maildir(address: string): string;
  log(): Promise<string>;
  /** Resolves when its log has a line like this. */
  logged(pattern: RegExp): Promise<void>;
  /** Messages in the queue, deferred ones included. */
  queueLength(): Promise<number>;
  stop(): Promise<void>;
}

/** Debian's table of services, without chroot, and with only our port facing out. */
const services = `
PORT       inet  n - n - -    smtpd
pickup     unix  n - n 60 1   pickup
cleanup    unix  n - n - 0    cleanup
qmgr       unix  n - n 300 1  qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - -    trivial-rewrite
bounce     unix  - - n - 0    bounce
defer      unix  - - n - 0    bounce
trace      unix  - - n - 0    bounce
verify     unix  - - n - 1    verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - -    proxymap
proxywrite unix  - - n - 1    proxymap
smtp       unix  - - n - -    smtp
relay      unix  - - n - -    smtp
showq      unix  n - n - -    showq
error      unix  - - n - -    error
retry      unix  - - n - -    error
discard    unix  - - n - -    discard
virtual    unix  - n n - -    virtual
anvil      unix  - - n - 1    anvil
scache     unix  - - n - 1    scache
postlog    unix-dgram n - n - 1 postlogd
`;

/** uid and gid of nobody, to whom the mailboxes belong. */
const nobody = 65_534;

/** Writes main.cf and master.cf, starts master(8) as our own child, and waits until the port answers. */
export async function startPostfix(world: World, options: PostfixOptions = {}): Promise<Postfix> {
  const dir = world.path(options.name ?? 'postfix');
  const mailboxes = join(dir, 'mailboxes');
  const config = join(dir, 'etc');
  for (const each of [config, join(dir, 'queue'), join(dir, 'data'), mailboxes])
    await mkdir(each, { recursive: true });
  await chown(mailboxes, nobody, nobody);
  await runOk('chown', ['postfix', join(dir, 'data')]);
  const { network } = options;
  const { address, port } = options.at ?? { address: '127.0.0.1', port: network ? 25 : await world.port() };
  const parameters = {
    ...defaults(dir),
    ...delivery(mailboxes, options.mailboxes ?? []),
    ...options.parameters,
  };
  await writeFile(join(config, 'main.cf'), lines(parameters));
  const places = network?.addresses.map((each) => (each.includes(':') ? `[${each}]` : each));
  const facing = (places ?? [address]).map((place) =>
    services.split('\n')[1]?.replace('PORT', `${place}:${port}`),
  );
  const table = services.replace(/PORT.*/, facing.join('\n')) + (options.services ?? '');
  await writeFile(join(config, 'master.cf'), table);
  const log = world.watchLog(join(dir, 'log'));
  await runOk('postfix', ['-c', config, 'check']); // Makes what is missing below the queue directory.
  const [program = '', ...words] = [...(network?.inside ?? []), await masterProgram(), '-c', config, '-s'];
  const master = start(program, words, join(dir, 'stderr'));
  const started = network ? logged(log, /daemon started/) : listening(port, address);
  await Promise.race([started, master.exited.then(() => failed(config, log))]);
  world.atEnd(() => master.stop());
  return {
    port,
    pid: master.pid,
    maildir: (address) => join(mailboxes, address),
    log: () => readLog(log),
    logged: (pattern) => logged(log, pattern),
    queueLength: () => queueLength(config),
    stop: async () => {
      await master.stop();
    },
  };
}

async function logged(log: string, pattern: RegExp): Promise<void> {
  await eventually(`${pattern} in ${log}`, async () => pattern.test(await readLog(log)) || undefined);
}

function defaults(dir: string): Record<string, string> {
  return {
    compatibility_level: '3.6',
    queue_directory: join(dir, 'queue'),
    data_directory: join(dir, 'data'),
    maillog_file: join(dir, 'log'),
    maillog_file_prefixes: dir,
    myhostname: 'postfix.example.net',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    // Other addresses of loopback are in master.cf: this list takes only what the interface has.
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    disable_dns_lookups: 'yes',
    smtp_host_lookup: 'native',
    alias_maps: '',
    alias_database: '',
    smtputf8_enable: 'yes',
  };
}

function delivery(base: string, mailboxes: readonly string[]): Record<string, string> {
  if (mailboxes.length === 0) return {};
  const domains = new Set(mailboxes.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  return {
    virtual_mailbox_base: base,
    virtual_mailbox_domains: [...domains].join(', '),
    virtual_mailbox_maps: `inline:{${mailboxes.map((address) => `${address}=${address}/`).join(' ')}}`,
    virtual_uid_maps: `static:${nobody}`,
    virtual_gid_maps: `static:${nobody}`,
  };
}

const lines = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');

async function failed(config: string, log: string): Promise<never> {
  throw new Error(`Postfix with ${config} did not start:\n${await readLog(log)}`);
}

async function masterProgram(): Promise<string> {
  const { stdout } = await runOk('postconf', ['-h', 'daemon_directory']);
  return join(stdout.toString().trim(), 'master');
}

async function queueLength(config: string): Promise<number> {
  const { stdout } = await runOk('postqueue', ['-c', config, '-j']);
  return stdout.toString().split('\n').filter(Boolean).length;
}
