/** The policy that a domain serves by HTTPS: which hosts take its mail, and that they must prove it (RFC 8461 §3.2). */

import { parseDomain } from '../mail/address.ts';
import { trim } from '../util/trim.ts';

export interface StsPolicy {
  mode: 'enforce' | 'testing' | 'none';
  /** Host names, or `*.` and a domain, as lower-case A-labels. Empty only in mode `none`. */
  mx: readonly string[];
  /** Seconds that it may be kept. */
  maxAge: number;
}

/** RFC 8461 §3.2: about a year. */
const longestMaxAge = 31_557_600;

/** RFC 8461 §3.3: octets that a policy may have. */
export const maxPolicyBytes = 64 * 1024;

const modes: readonly StsPolicy['mode'][] = ['enforce', 'testing', 'none'];

/** Reads a policy's text. Says in words why it is none. */
export function parsePolicy(text: string): StsPolicy | { problem: string } {
  const lines = text.split(/\r?\n/).filter((line) => /[^ \t]/.test(line));
  const fields: [name: string, value: string][] = [];
  for (const line of lines) {
    const [, name, rest = ''] = /^([A-Za-z\d][\w.-]{0,31}):(.*)$/.exec(line) ?? [];
    const value = trim(rest);
    if (name === undefined || value === '')
      return { problem: `a line is no "name: value": ${line.slice(0, 80)}` };
    fields.push([name, value]);
  }
  return policyOf(fields);
}

function policyOf(fields: readonly [name: string, value: string][]): StsPolicy | { problem: string } {
  // All but mx count once: the first (RFC 8461 §3.2).
  const first = (wanted: string) => fields.find(([name]) => name === wanted)?.[1];
  if (first('version') !== 'STSv1') return { problem: 'it has no "version: STSv1"' };
  const mode = modes.find((each) => each === first('mode'));
  if (mode === undefined) return { problem: 'its mode is not enforce, testing or none' };
  const age = first('max_age');
  if (age === undefined || !/^\d{1,10}$/.test(age))
    return { problem: 'its max_age is not a number of seconds' };
  const names = fields.filter(([name]) => name === 'mx').map(([, value]) => value);
  const mx = names.map(readPattern);
  const bad = names[mx.indexOf(undefined)];
  if (bad !== undefined) return { problem: `"mx: ${bad.slice(0, 80)}" is not the name of a host` };
  if (mx.length === 0 && mode !== 'none') return { problem: 'it names no mx' };
  return {
    mode,
    mx: mx.filter((pattern) => pattern !== undefined),
    maxAge: Math.min(Number(age), longestMaxAge),
  };
}

/** Only A-labels: RFC 8461 §3.2 takes the names from RFC 5321, which knows no others. */
function readPattern(text: string): string | undefined {
  const host = text.startsWith('*.') ? text.slice(2) : text;
  const isAscii = /^[\x21-\x7e]+$/.test(host);
  const domain = isAscii ? parseDomain(host) : undefined;
  return domain && (host === text ? domain : `*.${domain}`);
}

/** Whether a host may take the mail: a wildcard stands for the left-most label, and for one only (RFC 8461 §4.1). */
export function allowsHost({ mx }: StsPolicy, host: string): boolean {
  const name = host.toLowerCase();
  const parent = name.slice(name.indexOf('.') + 1);
  return mx.some((pattern) => pattern === name || (name.includes('.') && pattern === `*.${parent}`));
}
