/**
 * What our users' mail carries so that complaints of it come to us and are known (RFC 9477): an address for them, and a token. One
 * key, made when it is first needed and kept in the store.
 */

import { randomBytes } from 'node:crypto';
import { makeToken, readToken } from '../arf/token.ts';
import { foldField } from '../mail/fold.ts';
import { findFields, type Header } from '../mail/header.ts';
import type { Memo } from '../store/memo-store.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface ComplaintsParts {
  store: Pick<Store, 'listMemos' | 'writeMemos'>;
  clock: Clock;
  /** Our users' mail gets the fields. Tokens are known all the same, as long as they count. */
  enabled: boolean;
  /** Domains that are signed for: without a signature nobody heeds the fields (RFC 9477 §3.1). */
  signers: ReadonlyMap<string, unknown>;
}

/** In lower case. */
export const tokenField = 'cfbl-feedback-id';
const keyKind = 'complaintKey';
const keyBytes = 32;

export class Complaints {
  readonly #parts: ComplaintsParts;
  readonly #key: Buffer | undefined;

  private constructor(parts: ComplaintsParts, key: Buffer | undefined) {
    this.#parts = parts;
    this.#key = key;
  }

  static async read(parts: ComplaintsParts): Promise<Complaints> {
    const [memo] = await parts.store.listMemos(keyKind);
    if (memo !== undefined) return new Complaints(parts, keyOf(memo));
    if (!parts.enabled) return new Complaints(parts, undefined);
    const key = randomBytes(keyBytes);
    await parts.store.writeMemos([{ kind: keyKind, key: 'current', value: key.toString('base64') }]);
    return new Complaints(parts, key);
  }

  /** The fields for a message of `authorDomain`, with their line ends; '' where there are none, or it has its own. */
  fieldsFor(queueId: string, authorDomain: string | undefined, { fields }: Header): string {
    const { enabled, signers, clock } = this.#parts;
    if (!enabled || this.#key === undefined || authorDomain === undefined) return '';
    if (!signers.has(authorDomain) || findFields(fields, 'cfbl-address').length > 0) return '';
    return (
      foldField('CFBL-Address', [`abuse@${authorDomain};`, 'report=arf']) +
      foldField('CFBL-Feedback-ID', [makeToken(this.#key, queueId, clock.now())])
    );
  }

  /** The message of ours that one of the tokens names. */
  findMessage(tokens: readonly string[]): string | undefined {
    const key = this.#key;
    if (key === undefined) return undefined;
    const now = this.#parts.clock.now();
    for (const token of tokens) {
      const queueId = readToken(key, token, now);
      if (queueId !== undefined) return queueId;
    }
    return undefined;
  }
}

/** Only written above. */
const keyOf = ({ value }: Memo): Buffer => Buffer.from(String(value), 'base64');
