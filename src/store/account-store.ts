/** What the store keeps of accounts and aliases. */

import type { ScramKeys } from '../sasl/scram.ts';

export interface Account {
  /** Lower-case `user@domain`. */
  address: string;
  /** argon2id, in PHC string form. */
  passwordHash: string;
  createdAt: number;
  /** Absent: none was made; see AccountSettings. */
  settings?: AccountSettings;
  /** Made of the same password; absent where it was set before there were any. */
  scramKeys?: ScramKeys;
}

/** What holds for one mailbox; what is absent is as the domain or the server has it. */
export interface AccountSettings {
  /** Name of the policy for what comes in. */
  policy?: string;
  /** false: nobody can send to it. */
  receive?: false;
  /** false: its user can submit nothing. */
  send?: false;
  /** Octets of mail that it may hold. */
  quotaBytes?: number;
  /** Patterns of senders whose mail is unwelcome, or welcome, besides those of the policy. */
  block?: readonly string[];
  allow?: readonly string[];
  /** Its mail goes on to these addresses, as `addressKey()` writes those of ours; with `keep`, a copy stays here. */
  forward?: { to: readonly string[]; keep?: true };
  /** Recipients within an hour, before what its user sends is held; 0: as many as they like. */
  hourlyRecipients?: number;
  /** Nobody logs in, since then; with `refusesMail`, nobody can send to it either. */
  suspended?: { at: number; refusesMail?: true };
  /** Its own password is not for mail programs: each has one of its own (app-passwords.ts). */
  appPasswordsOnly?: true;
  /** As though it were not there, until it is erased; with `isUnknown`, senders are told that it never was. */
  removed?: { at: number; eraseAt: number; isUnknown?: true };
}

/** What may be shown of an account. */
export interface PublicAccount extends Omit<Account, 'passwordHash' | 'scramKeys'> {
  /** It can log in by SCRAM. */
  hasScramKeys: boolean;
}

export interface Alias {
  /** Lower-case `user@domain`. */
  address: string;
  /** Addresses of accounts, aliases or remote recipients. */
  targets: string[];
  /** Present: it is a mailing list. */
  list?: MailingList;
}

export interface MailingList {
  /** An address of ours that hears of what cannot be delivered. */
  owner: string;
  /** Who may write to it: anybody, its members and its owner, or everybody of a domain of ours. */
  post: 'anybody' | 'members' | 'domain';
  /** For people. */
  name?: string;
}

export interface AccountStore {
  /**
   * Inserts accounts, in steps of which each is all or nothing; resolves to the addresses that exist already (these are
   * left as they are).
   */
  addAccounts(accounts: Account[]): Promise<string[]>;
  /** Resolves to false where there is no such account. */
  setPassword(address: string, passwordHash: string, scramKeys?: ScramKeys): Promise<boolean>;
  /** Resolves to false where there is no such account, or its password has another hash by now. */
  addScramKeys(address: string, passwordHash: string, scramKeys: ScramKeys): Promise<boolean>;
  /** Whether there is an account without SCRAM keys. */
  lacksScramKeys(): Promise<boolean>;
  /** In the place of all that was set before. Resolves to false where there is no such account. */
  setSettings(address: string, settings: AccountSettings): Promise<boolean>;
  /** Not one that was removed, though its row is there until it is erased; nor do the two after this name it. */
  findAccount(address: string): Promise<Account | undefined>;
  /** The domain's account that was created first. */
  firstAccount(domain: string): Promise<string | undefined>;
  listAccounts(): Promise<PublicAccount[]>;
  findRemovedAccount(address: string): Promise<Account | undefined>;
  listRemovedAccounts(): Promise<PublicAccount[]>;
  /**
   * Erases the account and the dossiers of what it sent and received; resolves to false where there is none. Of
   * messages that others received too, their part stays, with the address struck out. Its Maildir stays.
   */
  eraseAccount(address: string): Promise<boolean>;
  /** Sets or, with no targets, removes an alias. */
  setAlias(alias: Alias): Promise<void>;
  findAlias(address: string): Promise<Alias | undefined>;
  listAliases(): Promise<Alias[]>;
}
