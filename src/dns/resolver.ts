/**
 * What the rest of Posthorn knows of DNS: a question, and an answer that is a value.
 * "No such name", "no such record" and "could not be found out" are three different things for mail
 * (RFC 5321 §5.1: only the last is a reason to try again), so none of them is an exception.
 */

export interface MxRecord {
  preference: number;
  /** Host name without the final dot; '' is the null MX of RFC 7505. */
  exchange: string;
}

export interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: Buffer;
}

/** Record data by type, as the resolver gives it. Names are lower-case and without the final dot. */
export interface RecordTypes {
  A: string;
  AAAA: string;
  MX: MxRecord;
  /** The character-strings of one TXT record, not yet joined. */
  TXT: string[];
  CNAME: string;
  PTR: string;
  TLSA: TlsaRecord;
}

export type RecordType = keyof RecordTypes;

export type Answer<T> =
  | {
      status: 'found';
      records: readonly T[];
      /** Seconds that the answer may be kept. */
      ttl: number;
      /** Proven by DNSSEC, as told by a resolver that we may believe (AD over loopback). */
      authentic: boolean;
      /** The name that has the records, where the one asked for is an alias of it (CNAME). */
      canonicalName?: string;
    }
  /** The name does not exist (`nxdomain`) or has no record of this type (`nodata`). */
  | { status: 'none'; reason: 'nxdomain' | 'nodata'; ttl: number; authentic: boolean }
  /** Not known now: SERVFAIL, a timeout, no resolver. `detail` is for people. Always a reason to try later. */
  | { status: 'failed'; detail: string };

export interface Resolver {
  /** `name` is a host name in A-labels or an already reversed `…in-addr.arpa` name. Never rejects, but for an aborted signal. */
  resolve<T extends RecordType>(name: string, type: T, signal?: AbortSignal): Promise<Answer<RecordTypes[T]>>;
}
