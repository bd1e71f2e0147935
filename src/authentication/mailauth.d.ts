/**
 * The parts of mailauth that we load, and no more of their types than we use. The package's main module would also
 * load its BIMI and MTA-STS code with their own HTTP clients; these three talk to the network by `resolver` only.
 */

type MailauthResolver = (name: string, type: string) => Promise<unknown[]>;

declare module 'mailauth/lib/spf/index.js' {
  export function spf(options: {
    sender: string;
    ip: string;
    helo: string;
    mta: string;
    resolver: MailauthResolver;
    strict: boolean;
  }): Promise<{
    domain: string;
    status: { result: string; comment?: string };
  }>;
}

declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import { Writable } from 'node:stream';

  export interface VerifiedBodyHash {
    digest(): string;
    readonly canonicalizedLength: number;
    readonly bodyHashedBytes: number;
    setContentType(): void;
    getMimeStructureStart(): undefined;
  }

  /** Takes a message; when it has finished, `results` are there. */
  export class DkimVerifier extends Writable {
    constructor(options: {
      resolver: MailauthResolver;
      strict: boolean;
      minBitLength: number;
      curTime: Date;
      sender: string;
    });
    readonly bodyHashes: Map<string, VerifiedBodyHash>;
    addBodyHash(canonicalization: string, algorithm: string, length: number | ''): string;
    /** False until the header has been read. */
    readonly headers: object | false;
    /** Takes octets as they are written to the stream. */
    writeAsync(chunk: Buffer, encoding?: string): Promise<void>;
    nextChunk(chunk: Buffer): Promise<void>;
    readonly results: {
      signingDomain?: string;
      selector?: string;
      signature?: string;
      algo?: string;
      modulusLength?: number;
      status: {
        result: string;
        comment?: string;
        underSized?: number;
        testing?: boolean;
        policy?: { 'dkim-rules'?: string };
      };
    }[];
  }
}

declare module 'mailauth/lib/dmarc/index.js' {
  type Policy = 'none' | 'quarantine' | 'reject';

  export function evaluateDmarc(options: {
    headerFrom: string[];
    fromFields: number;
    spfDomains: string[];
    dkimDomains: { domain: string }[];
    resolver: MailauthResolver;
    strict: boolean;
  }): Promise<{
    /** False where there is not exactly one author domain. */
    response:
      | false
      | {
          status: { result: string };
          domain: string;
          policyDomain?: string;
          policy?: Policy;
          p?: Policy;
          sp?: Policy;
          np?: Policy;
          testMode?: boolean;
          alignment?: {
            spf: { result?: string; strict: boolean };
            dkim: { result?: string; strict: boolean };
          };
          error?: string;
          /** Null where the walk to the organizational domain failed; `domain` is then the author's own. */
          orgRecord?: object | false | null;
        };
    reason?: string;
    /** Signing domains that are aligned. */
    dkimAligned?: Set<string>;
  }>;
}

/** For tests: the canonicalization that our own is compared with. */
declare module 'mailauth/lib/dkim/body/index.js' {
  export function dkimBody(
    canonicalization: string,
    algorithm: string,
    limit: number | '',
  ): { update(chunk: Buffer): void; digest(encoding: 'base64'): string };
}
