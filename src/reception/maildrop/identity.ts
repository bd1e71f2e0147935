/** Who of this machine's users has handed in a message: by the number of who owns its file, or has opened the control socket. */

import { userName } from '../../util/user-names.ts';

export interface Identity {
  /** As /etc/passwd has it. */
  user: string;
  /** The server's own user and those whom it trusts: any address of ours. */
  isTrusted: boolean;
}

export async function identify(uid: number, trusted: readonly string[]): Promise<Identity> {
  const user = await userName(uid);
  return { user, isTrusted: uid === process.getuid?.() || trusted.includes(user) };
}
