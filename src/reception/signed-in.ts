/** Who is logged in now, in any session of any protocol: what a password opened ends when it is good no more. */

interface OpenLogin {
  /** The name of the app password that opened it. */
  appPassword: string | undefined;
  end(): void;
}

/** Which of an account's logins: those by its own password or a token, those by one app password; absent: all. */
export type WhichLogins = 'without-app-password' | { appPassword: string };

export class SignedIn {
  readonly #logins = new Map<string, Set<OpenLogin>>();

  /** Returns how to leave. */
  add(account: string, login: OpenLogin): () => void {
    const others = this.#logins.get(account) ?? new Set();
    this.#logins.set(account, others.add(login));
    return () => {
      others.delete(login);
      if (others.size === 0 && this.#logins.get(account) === others) this.#logins.delete(account);
    };
  }

  end(account: string, which?: WhichLogins): void {
    for (const login of [...(this.#logins.get(account) ?? [])]) if (isOf(login, which)) login.end();
  }
}

function isOf({ appPassword }: OpenLogin, which: WhichLogins | undefined): boolean {
  if (which === undefined) return true;
  return which === 'without-app-password' ? appPassword === undefined : appPassword === which.appPassword;
}
