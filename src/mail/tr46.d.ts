/** What we use of tr46 (UTS #46), which ships no types of its own. */
declare module 'tr46' {
  export interface ToAsciiOptions {
    checkBidi?: boolean;
    checkJoiners?: boolean;
    useSTD3ASCIIRules?: boolean;
    verifyDNSLength?: boolean;
  }
  /** The name in A-labels, lower-case, or null where it is no valid name. */
  export function toASCII(domainName: string, options?: ToAsciiOptions): string | null;
}
