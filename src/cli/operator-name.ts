/** Who gives an order: the user of this process, or whom sudo stands for. For the dossier; it proves nothing. */

import { userInfo } from 'node:os';

export function operatorName(env: NodeJS.ProcessEnv): string {
  const behind = env.SUDO_USER;
  return behind ? `${behind} (by sudo)` : nameOfProcess();
}

/** A user id without a name, as in many a container, is one too. */
function nameOfProcess(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
