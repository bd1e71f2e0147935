/** Debian's rspamd, clamd and opendkim (as a milter), each on a port and with rules of a world's own. */

import { mkdir, writeFile } from 'node:fs/promises';
import { type Running, runOk, start } from '../process.ts';
import { listening } from '../wait.ts';
import type { World } from '../world.ts';

export interface FilterPeer {
  port: number;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<unknown>;
}

/** opendkim looks every five seconds whether it is to end, and rspamd waits for workers; there is nothing that they could lose. */
const graceMs = 1_000;

/** A letter whose subject holds this word is spam, but not so much that it would be refused. */
export const spammyWord = 'casino';

const rspamdRules = `
rspamd_config:register_symbol{
  name = 'E2E_SUBJECT', type = 'normal', score = 8.0, group = 'e2e',
  callback = function(task)
    local subject = task:get_header('Subject')
    return subject ~= nil and subject:find('${spammyWord}') ~= nil
  end
}
`;

/** Without rspamd's own rules and modules, which ask the network; what it has built in (GTUBE) and a rule of ours. */
export async function startRspamd(world: World, dnsPort: number): Promise<FilterPeer> {
  const port = await world.port();
  const dir = world.path('rspamd');
  await mkdir(dir, { recursive: true });
  const config = `
options {
  pidfile = "${dir}/pid";
  filters = "";
  url_tld = "${dir}/tlds";
  control_socket = "${dir}/control mode=0600";
  hs_cache_dir = "${dir}";
  dns { nameserver = ["127.0.0.1:${dnsPort}"]; timeout = 1s; }
}
logging { type = "console"; level = "info"; }
actions { reject = 15; add_header = 6; greylist = 4; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; enabled = true; }
lua = "${dir}/rules.lua";
`;
  await writeFile(`${dir}/rspamd.conf`, config);
  await writeFile(`${dir}/rules.lua`, rspamdRules);
  // Its list of public suffixes takes it seconds to read.
  await writeFile(`${dir}/tlds`, 'example\n');
  await runOk('chown', ['-R', '_rspamd:_rspamd', dir]);
  const words = ['-f', '-c', `${dir}/rspamd.conf`, '-u', '_rspamd', '-g', '_rspamd'];
  return serving(world, port, start('rspamd', words, world.watchLog(world.path('rspamd.log'))));
}

/** What clamd finds: a text that is in no letter by chance, without the real list of viruses, which is large. */
export const malware = 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!';

export async function startClamd(world: World, limits: { streamBytes: number }): Promise<FilterPeer> {
  const port = await world.port();
  const dir = world.path('clamd');
  await mkdir(dir, { recursive: true });
  await writeFile(`${dir}/e2e.ndb`, `E2e.Test:0:*:${Buffer.from(malware).toString('hex')}\n`);
  const config = `
DatabaseDirectory ${dir}
TCPSocket ${port}
TCPAddr 127.0.0.1
Foreground true
StreamMaxLength ${limits.streamBytes}
LogFile ${world.watchLog(`${dir}/log`)}
`;
  await writeFile(`${dir}/clamd.conf`, config);
  return serving(world, port, start('clamd', ['-c', `${dir}/clamd.conf`], world.path('clamd.out')));
}

export interface OpendkimOptions {
  /** Names its files. */
  name: string;
  /** Lines of opendkim.conf(5). */
  settings: readonly string[];
}

export async function startOpendkim(world: World, { name, settings }: OpendkimOptions): Promise<FilterPeer> {
  const port = await world.port();
  const file = world.path(`${name}.conf`);
  const fixed = [`Socket inet:${port}@127.0.0.1`, 'Syslog no', 'RequireSafeKeys no', 'Background no'];
  await writeFile(file, `${[...fixed, ...settings].join('\n')}\n`);
  return serving(
    world,
    port,
    start('opendkim', ['-f', '-x', file], world.watchLog(world.path(`${name}.log`))),
  );
}

async function serving(world: World, port: number, running: Running): Promise<FilterPeer> {
  const stop = () => running.stop(graceMs);
  world.atEnd(stop);
  await listening(port);
  return { port, stop };
}
