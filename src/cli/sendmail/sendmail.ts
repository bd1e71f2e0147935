/**
 * `posthorn sendmail`, called as /usr/sbin/sendmail: takes a message from standard input and hands it in, to the server where
 * this user may, else into the maildrop. Exit code 0 means that it is on disk. Loads little, since programs that call it wait
 * for it.
 */

import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { controlSocketName } from '../../net/control-socket.ts';
import {
  type DroppedEnvelope,
  dropMessage,
  maildropDirectory,
  messageName,
} from '../../store/drop-message.ts';
import { errorCode, isDiskFull } from '../../store/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { parseArguments, type SendmailArguments, UsageError } from './arguments.ts';
import { MessageError, readMessage } from './message.ts';

/** Where the configuration cannot be read by everybody, which it need not be. */
const defaults = {
  config: '/etc/posthorn/posthorn.toml',
  dataDir: '/var/lib/posthorn',
  messageBytes: 50 * 1024 * 1024,
};

/** sysexits(3): an error of the system. */
const systemError = 71;

/** `delegate` runs another of our commands. Never rejects. */
export async function sendmail(
  args: readonly string[],
  terminal: Terminal,
  delegate: (args: readonly string[]) => Promise<number>,
): Promise<number> {
  const say = (text: string) => terminal.err(`sendmail: ${text}\n`);
  try {
    const parsed = parseArguments(args);
    const config = parsed.config === undefined ? [] : ['--config', parsed.config];
    if (parsed.mode === 'queue') return await delegate(['queue', 'list', ...config]);
    if (parsed.mode === 'aliases') return exitCodes.ok; // `posthorn alias` counts at once
    if (parsed.mode === 'nothing') return exitCodes.ok; // the queue runs by itself
    return await send(parsed, terminal, say);
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message);
      return exitCodes.usage;
    }
    if (error instanceof MessageError) {
      say(error.message);
      return exitCodes.badData;
    }
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodes.software;
  }
}

type Say = (text: string) => void;

async function send(parsed: SendmailArguments, terminal: Terminal, say: Say): Promise<number> {
  const { recipients: named, fromHeader, ignoreDots, from, fullName, verbose } = parsed;
  if (named.length === 0 && !fromHeader)
    throw new UsageError('Nobody to send it to. Name recipients, or give -t to take them from the header.');
  const place = await findPlace(parsed.config, terminal);
  if (typeof place === 'string') {
    say(place);
    return exitCodes.config;
  }
  const input = await readBounded(terminal, place.messageBytes);
  const { message, headerRecipients } = readMessage(input, { ignoreDots, fromHeader });
  const recipients = [...new Set([...named.flatMap(addressesIn), ...headerRecipients])];
  if (recipients.length === 0)
    throw new UsageError('There are no recipients: neither named, nor in To, Cc or Bcc.');
  const envelope = {
    recipients,
    ...(from !== undefined && { from: from === '<>' ? '' : from.replace(/^<(.*)>$/, '$1') }),
    ...(fullName !== undefined && { fullName }),
  };
  const name = messageName();
  const heard = await askServer(place, { name, envelope, content: message });
  if (heard !== undefined && 'code' in heard) {
    for (const line of heard.lines) say(line);
    if (verbose && heard.queueId !== undefined) terminal.out(`Taken as ${heard.queueId}\n`);
    return heard.code;
  }
  const maildrop = maildropDirectory(place.dataDir);
  try {
    // Under the same name: a server that has taken it already, and could not say so, knows it again.
    await dropMessage(maildrop, name, { envelope, content: message });
    if (verbose) terminal.out(`Handed in as ${name}\n`);
    return exitCodes.ok;
  } catch (error) {
    if (heard === undefined) return explain(error, maildrop, say);
    say(heard.unheard);
    return exitCodes.tryLater;
  }
}

/** Undefined where this user may not, or no server runs: others use the maildrop, and are known by who owns the file. */
async function askServer(
  { dataDir }: Place,
  message: { name: string; envelope: DroppedEnvelope; content: Buffer },
) {
  const socketPath = join(dataDir, controlSocketName);
  const uid = process.geteuid?.(); // whose a file in the maildrop would be
  if (uid === undefined || !(await canUse(socketPath, constants.R_OK | constants.W_OK))) return undefined;
  const { handOver } = await import('./over-socket.ts');
  return handOver(socketPath, { ...message, uid });
}

/** `a@example.org, b@example.org` in one word, as some programs write it. */
const addressesIn = (word: string): string[] =>
  (word.includes('"') ? [word] : word.split(','))
    .map((one) => one.trim().replace(/^<(.*)>$/, '$1'))
    .filter((one) => one !== '');

async function readBounded(terminal: Terminal, limitBytes: number): Promise<Buffer> {
  try {
    return await terminal.readInput(limitBytes);
  } catch (error) {
    throw new MessageError(error instanceof Error ? error.message : String(error));
  }
}

interface Place {
  dataDir: string;
  messageBytes: number;
}

/** Only what is needed of the configuration; the server judges all of it. A sentence where there is none to go by. */
async function findPlace(named: string | undefined, { env, cwd }: Terminal): Promise<Place | string> {
  const file = resolve(cwd, named ?? (env.POSTHORN_CONFIG || defaults.config));
  const { dataDir: usualDataDir, messageBytes: usualBytes } = defaults;
  const usual = maildropDirectory(usualDataDir);
  let toml: string;
  try {
    toml = await readFile(file, 'utf8');
  } catch (error) {
    // It may hold secrets; where it is not for everybody, the data directory has to be where it is usually.
    if (await canUse(usual, constants.W_OK | constants.X_OK))
      return { dataDir: usualDataDir, messageBytes: usualBytes };
    return `cannot read ${file} (${errorCode(error)}), and there is no ${usual}. Name the configuration with -C FILE, and let everybody read it.`;
  }
  try {
    const { dataDir, limits } = parse(toml);
    const messageBytes =
      typeof limits === 'object' && 'messageBytes' in limits ? Number(limits.messageBytes) : undefined;
    return {
      dataDir: typeof dataDir === 'string' ? resolve(dirname(file), dataDir) : usualDataDir,
      messageBytes: messageBytes || usualBytes,
    };
  } catch (error) {
    return `${file} is not TOML: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const canUse = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

function explain(error: unknown, maildrop: string, say: Say): number {
  const code = errorCode(error);
  if (code === undefined) throw error;
  if (isDiskFull(error)) {
    say(`the disk of ${maildrop} is full. Nothing was handed in; try again later.`);
    return exitCodes.tryLater;
  }
  if (code === 'ENOENT' || code === 'EACCES') {
    say(
      `there is no maildrop at ${maildrop} that this user can add to (${code}). Set [sendmail] enabled = true and start the server once; ` +
        'everybody must be able to pass through the directories above it.',
    );
    return code === 'ENOENT' ? exitCodes.unavailable : exitCodes.noPermission;
  }
  say(`cannot write to ${maildrop}: ${String(error)}`);
  return code === 'EIO' ? exitCodes.inputOutput : systemError;
}
