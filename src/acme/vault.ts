/**
 * What is kept in `<dataDir>/acme` over restarts: the account and its key, the certificates with theirs, the keys to come, and
 * what was tried when, so that a server that is started again and again does not ask again and again. All of it for the owner's eyes.
 */

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type AccountFile, accountFile, accountRemedy, readAccountFile } from '../net/acme-account.ts';
import {
  issuedDirectory,
  issuedFile,
  nextKeyFile,
  readIssued,
  readNextKey,
  readReplaced,
  replacedFile,
} from '../net/issued-files.ts';
import type { KeyPair } from '../net/key-pair.ts';
import { newEcKey } from '../util/certificate-writer.ts';
import { type FileRead, readJson } from '../util/json-file.ts';
import { replaceFile } from '../util/replace-file.ts';
import { AcmeError } from './acme-error.ts';

export interface Account {
  key: KeyObject;
  /** Absent: the authority does not know it yet. */
  url?: string;
}

const moment = v.pipe(v.number(), v.finite());

const certificateState = v.object({
  /** In a row. */
  failures: v.optional(v.number(), 0),
  /** Nothing is asked before. */
  notBefore: v.exactOptional(moment),
  /** The authority has said so itself. */
  isAsked: v.exactOptional(v.boolean()),
  attemptedAt: v.exactOptional(moment),
  issuedAt: v.exactOptional(moment),
  lastError: v.exactOptional(v.object({ at: moment, text: v.string() })),
  renewAt: v.exactOptional(moment),
  advice: v.exactOptional(
    v.object({
      start: moment,
      end: moment,
      explanation: v.exactOptional(v.string()),
    }),
  ),
  askAdviceAt: v.exactOptional(moment),
  /** The next key is to be used, once it may be. */
  rollover: v.exactOptional(
    v.object({
      since: moment,
      /** All servers of the zone have shown its TLSA record from then on. */
      shownSince: v.exactOptional(moment),
      /** The longest life that was seen of the TLSA records, in seconds. */
      ttl: v.optional(v.number(), 0),
      /** It waits for nothing. */
      isUrgent: v.exactOptional(v.boolean()),
    }),
  ),
});

export type CertificateState = v.InferOutput<typeof certificateState>;

const stateShape = v.record(v.string(), certificateState);

export class Vault {
  readonly #dataDir: string;
  #states: Record<string, CertificateState> = {};

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Reads what is known of each certificate. What cannot be read is begun anew: returns what was wrong with it. */
  async open(): Promise<string | undefined> {
    const file = this.#path('state.json');
    const read = await readJson(file, stateShape);
    this.#states = ('value' in read && read.value) || {};
    return 'problem' in read ? `${file} ${read.problem}: what was tried before is forgotten` : undefined;
  }

  stateOf(name: string): CertificateState {
    return this.#states[name] ?? { failures: 0 };
  }

  /** Resolves when it is on disk. */
  async keepState(name: string, state: CertificateState): Promise<void> {
    this.#states = { ...this.#states, [name]: state };
    await this.#write(this.#path('state.json'), `${JSON.stringify(this.#states, null, 2)}\n`);
  }

  /** The account with this authority; its key is made where there is none. */
  async account(directory: string): Promise<Account> {
    const kept = await this.#readAccounts();
    if (kept === undefined) {
      const key = newEcKey();
      await this.#writeAccounts({ key: pemOf(key), accounts: {} });
      return { key };
    }
    const url = kept.accounts[directory];
    return { key: createPrivateKey(kept.key), ...(url !== undefined && { url }) };
  }

  /** Undefined: it is known there no more. */
  async keepAccount(directory: string, url: string | undefined): Promise<void> {
    const kept = await this.#readAccounts();
    if (kept === undefined) return;
    const { [directory]: _, ...others } = kept.accounts;
    const accounts = url === undefined ? others : { ...others, [directory]: url };
    await this.#writeAccounts({ ...kept, accounts });
  }

  /** What stands for the authority in CAA records (RFC 8555 §9.7.6). */
  async keepIdentities(directory: string, identities: readonly string[]): Promise<void> {
    const kept = await this.#readAccounts();
    const before = kept?.caaIdentities?.[directory] ?? [];
    if (kept === undefined || before.join() === identities.join()) return;
    const caaIdentities = { ...kept.caaIdentities, [directory]: [...identities] };
    await this.#writeAccounts({ ...kept, caaIdentities });
  }

  /** As it is on disk, for those who only look. `problem`: why it cannot be told, a sentence. */
  async findAccount(directory: string): Promise<{ url?: string; problem?: string }> {
    const read = await readAccountFile(this.#dataDir);
    if ('problem' in read) return { problem: this.#accountText(read.problem) };
    const url = read.value?.accounts[directory];
    return url === undefined ? {} : { url };
  }

  pairOf(name: string): Promise<FileRead<KeyPair>> {
    return readIssued(this.#dataDir, name);
  }

  fileOf(name: string): string {
    return issuedFile(this.#dataDir, name);
  }

  keepPair(name: string, pair: KeyPair): Promise<void> {
    return this.#write(this.fileOf(name), pemOfPair(pair));
  }

  /** One that is to be revoked, in the place of any that was before. */
  keepReplaced(name: string, pair: KeyPair): Promise<void> {
    return this.#write(this.replacedFileOf(name), pemOfPair(pair));
  }

  replacedOf(name: string): Promise<FileRead<KeyPair>> {
    return readReplaced(this.#dataDir, name);
  }

  replacedFileOf(name: string): string {
    return replacedFile(this.#dataDir, name);
  }

  async dropReplaced(name: string): Promise<void> {
    await rm(this.replacedFileOf(name), { force: true });
  }

  nextKeyOf(name: string): Promise<FileRead<KeyObject>> {
    return readNextKey(this.#dataDir, name);
  }

  nextKeyFileOf(name: string): string {
    return nextKeyFile(this.#dataDir, name);
  }

  async keepNextKey(name: string, key: KeyObject): Promise<void> {
    await this.#write(nextKeyFile(this.#dataDir, name), pemOf(key));
  }

  async dropNextKey(name: string): Promise<void> {
    await rm(nextKeyFile(this.#dataDir, name), { force: true });
  }

  async #readAccounts(): Promise<AccountFile | undefined> {
    const read = await readAccountFile(this.#dataDir);
    if ('value' in read) return read.value;
    throw new AcmeError('ours', this.#accountText(read.problem));
  }

  #accountText(problem: string): string {
    return `${accountFile(this.#dataDir)} ${problem}. ${accountRemedy}`;
  }

  #writeAccounts(value: AccountFile): Promise<void> {
    return this.#write(accountFile(this.#dataDir), `${JSON.stringify(value, null, 2)}\n`);
  }

  #path(name: string): string {
    return join(issuedDirectory(this.#dataDir), name);
  }

  async #write(file: string, content: string): Promise<void> {
    try {
      await mkdir(issuedDirectory(this.#dataDir), { recursive: true, mode: 0o700 });
      await replaceFile(file, content, 0o600);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AcmeError(
        'ours',
        `cannot write ${file} (${reason}): let it belong to the user that runs posthorn, and see that there is room`,
        { cause: error },
      );
    }
  }
}

const pemOfPair = ({ cert, key }: KeyPair): string => `${cert.trimEnd()}\n${key}`;

export const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
