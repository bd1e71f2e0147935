/**
 * A Dovecot of our own: takes mail by LMTP, over a Unix socket and over TCP, and tells a Postfix who may log in. Its
 * configuration, sockets and mail lie in a world's folder. doc.dovecot.org, for version 2.3.
 */

import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../process.ts';
import { eventually, listening } from '../wait.ts';
import { readLog, type World } from '../world.ts';

export interface DovecotOptions {
  /** Password by user; each has a mailbox. */
  users: Readonly<Record<string, string>>;
}

export interface Dovecot {
  /** LMTP. */
  readonly port: number;
  /** Path of the Unix socket for LMTP. */
  readonly socket: string;
  /** Path of the Unix socket at which a Postfix asks (smtpd_sasl_type = dovecot). */
  readonly authSocket: string;
  maildir(user: string): string;
}

/** uid and gid of nobody, to whom the mailboxes belong. */
const nobody = 65_534;

export async function startDovecot(world: World, { users }: DovecotOptions): Promise<Dovecot> {
  const dir = world.path('dovecot');
  const mail = join(dir, 'mail');
  await mkdir(mail, { recursive: true });
  await chown(mail, nobody, nobody);
  const port = await world.port();
  const socket = join(dir, 'lmtp');
  const authSocket = join(dir, 'auth');
  const passwords = join(dir, 'passwd');
  const line = ([user, password]: [string, string]) =>
    `${user}:{PLAIN}${password}:${nobody}:${nobody}::${join(mail, user)}::\n`;
  await writeFile(passwords, Object.entries(users).map(line).join(''));
  const config = join(dir, 'dovecot.conf');
  await writeFile(config, configuration({ dir, port, socket, authSocket, passwords }));
  const log = world.watchLog(join(dir, 'log'));
  const dovecot = start('dovecot', ['-F', '-c', config], join(dir, 'stderr'));
  world.atEnd(() => dovecot.stop());
  const failed = async () => {
    throw new Error(
      `Dovecot with ${config} did not start:\n${await readLog(log)}${await readLog(join(dir, 'stderr'))}`,
    );
  };
  await Promise.race([listening(port), dovecot.exited.then(failed)]);
  await eventually('Dovecot to be ready', async () => /starting up/.test(await readLog(log)) || undefined);
  return { port, socket, authSocket, maildir: (user) => join(mail, user, 'Maildir') };
}

interface Places {
  dir: string;
  port: number;
  socket: string;
  authSocket: string;
  passwords: string;
}

const configuration = ({ dir, port, socket, authSocket, passwords }: Places): string => `
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
protocols = lmtp
ssl = no
first_valid_uid = 1
mail_location = maildir:~/Maildir
auth_mechanisms = plain login scram-sha-256
passdb {
  driver = passwd-file
  args = ${passwords}
}
userdb {
  driver = passwd-file
  args = ${passwords}
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
  unix_listener ${socket} {
    mode = 0666
  }
}
service auth {
  unix_listener ${authSocket} {
    mode = 0666
  }
}
`;
