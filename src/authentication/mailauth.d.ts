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

declare module 'mailauth/lib/dkim/verify.js' {
  import type { Readable } from 'node:stream';

  export function dkimVerify(
    message: Readable,
    options: {
      resolver: MailauthResolver;
      strict: boolean;
      minBitLength: number;
      curTime: Date;
      sender: string;
    },
  ): Promise<{
    results: {
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
  }>;
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
