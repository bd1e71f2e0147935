/**
 * Hands a message in to the running server, which says at once what becomes of it. For those who may: root, and the user
 * that the server runs as. Loaded where the socket is there for us.
 */

import type { Admin } from '../../admin/admin.ts';
import { AdminError } from '../../admin/admin-error.ts';
import { remoteAdmin } from '../../admin/control-client.ts';
import type { HandInRequest, HandInResult } from '../../admin/shapes/server.ts';
import { exitCodes } from '../exit-codes.ts';

/** sysexits(3) for what the server says of a message that nobody gets. */
const refusalCodes: Record<Extract<HandInResult, { kind: 'refused' }>['because'], number> = {
  sender: exitCodes.noPermission,
  address: exitCodes.badData,
  nobody: exitCodes.noUser,
  later: exitCodes.tryLater,
  message: exitCodes.unavailable,
};

/** What is said about it, and the exit code: 0 where every recipient has it in the queue, on disk. */
export interface Told {
  code: number;
  lines: string[];
  queueId?: string;
}

/** A program that calls sendmail waits for it, and has the maildrop: it waits less than a command of people would. */
const patienceMs = 60_000;

/**
 * A server that takes no more connections, went away in the middle, did not answer, or whose disk failed: it may have the message all the same, and knows
 * it again by its name. A sentence for people.
 */
export interface Unheard {
  unheard: string;
}

/** Undefined where there is no server that understands. Rejects with the system's error of the socket. */
export async function handOver(
  socketPath: string,
  request: HandInRequest,
  withinMs = patienceMs,
): Promise<Told | Unheard | undefined> {
  let admin: Admin | undefined;
  try {
    admin = await remoteAdmin(socketPath, { withinMs });
    if (admin === undefined) return undefined;
    const result = await admin.handIn(request);
    if (result.kind === 'taken' && result.refused.length > 0) await sayHeard(admin, result.queueId);
    return tell(result);
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    if (error.code === 'connection' || error.code === 'disk') return { unheard: error.message };
    // It is of an earlier version, or takes less than the configuration says by now: the maildrop's way tells the sender.
    if (error.code === 'bad-request') return undefined;
    return { code: exitCodes.software, lines: [error.message] };
  } finally {
    await admin?.close();
  }
}

async function sayHeard(admin: Admin, queueId: string): Promise<void> {
  try {
    await admin.heardRefusals({ queueId });
  } catch (error) {
    // It has the message, and keeps what it has told for a month in vain; one of an earlier version does not know the word.
    if (!(error instanceof AdminError)) throw error;
  }
}

function tell(result: HandInResult): Told {
  if (result.kind === 'refused')
    return { code: refusalCodes[result.because], lines: [`not sent: ${result.why}`] };
  const { queueId, refused } = result;
  if (refused.length === 0) return { code: exitCodes.ok, lines: [], queueId };
  const told = refused.map(({ recipient, reply }) => `not sent to ${recipient}: ${reply}`);
  const others = 'The other recipients get it: do not send it to them again.';
  return { code: exitCodes.noUser, lines: [...told, others], queueId };
}
