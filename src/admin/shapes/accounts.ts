/** Requests and answers about accounts, their passwords and lists. */

import type { AccountSettings } from '../../store/account-store.ts';
import type { Scope } from '../../store/app-passwords.ts';

export interface NewAccount {
  /** `user@domain` of a configured domain. */
  address: string;
  /** Either the password, in clear, or its argon2id hash in PHC string form. */
  password?: string;
  hash?: string;
}

export interface AccountSummary {
  address: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  settings?: AccountSettings;
  /** It can log in by SCRAM. */
  hasScramKeys: boolean;
}

/** What is absent stays as it is; null: as the domain or the server has it. */
export interface SettingsChange {
  address: string;
  /** Whether mail can be sent to it. */
  receive?: boolean;
  /** Whether its user can submit mail. */
  send?: boolean;
  quotaBytes?: number | null;
  /** Name of the policy that judges what comes in for it. */
  policy?: string | null;
  /** Before what it sends is held; 0: as many as it likes. */
  hourlyRecipients?: number | null;
  /** Its own password is not for mail programs. */
  appPasswordsOnly?: boolean;
  /** Addresses that its mail goes on to, and whether a copy stays. */
  forward?: { to: string[]; keep: boolean } | null;
}

/** What may be shown of an app password. */
export interface AppPasswordSummary {
  name: string;
  scope: Scope;
  createdAt: number;
  /** To the hour; absent: never. */
  usedAt?: number;
}

export interface ImportResult {
  added: number;
  /** These existed already and were left as they are. */
  existing: string[];
}

/** Patterns that go on a mailbox's block or allow list, or off it. */
export interface SenderListChange {
  address: string;
  list: 'block' | 'allow';
  add?: string[];
  remove?: string[];
}

/** The lists of one mailbox, as they are now. */
export interface SenderListsResult {
  block: readonly string[];
  allow: readonly string[];
  /** What was to be removed, and was not there. */
  missing: readonly string[];
}
