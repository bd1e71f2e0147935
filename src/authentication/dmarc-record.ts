/**
 * DMARC policy records: what one TXT record at `_dmarc.domain` says. It knows neither where it was found nor any message.
 * RFC 9989 §4.7, §4.8, §4.10.1.
 */

import { trim } from '../util/trim.ts';
import type { AlignmentMode, DmarcPolicy } from './verdicts.ts';

export interface DmarcRecord {
  /** Absent where the record asks for nothing that is valid, not even for reports: it is to be ignored. */
  policies?: { p: DmarcPolicy; sp?: DmarcPolicy; np?: DmarcPolicy };
  alignment: { spf: AlignmentMode; dkim: AlignmentMode };
  /** `t=y`: the policy should be applied one step milder. */
  testing: boolean;
  /** Whether it is of a public suffix domain, of an organizational domain, or says nothing of it. */
  psd: 'y' | 'n' | 'u';
  /** Where aggregate reports are to go: the URIs as they are, sizes included. */
  reportUris: readonly string[];
  text: string;
}

/** Octets of a record that are read. */
const longestRecord = 8 * 1024;
const version = /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/;

/** Undefined for what is no DMARC record: its version is missing, or a tag stands twice (RFC 6376 §3.2). */
export function readDmarcRecord(record: string): DmarcRecord | undefined {
  const text = trim(record);
  if (text.length > longestRecord || !version.test(text)) return undefined;
  const tags = tagsOf(text);
  if (tags === undefined) return undefined;
  const value = (name: string) => tags.get(name)?.toLowerCase();
  const reportUris = (tags.get('rua') ?? '').split(',').map(trim).filter(isReportUri);
  const policies = readPolicies(value('p'), value('sp'), value('np')) ?? withoutPolicy(reportUris);
  const psd = value('psd');
  return {
    ...(policies && { policies }),
    alignment: { spf: readMode(value('aspf')), dkim: readMode(value('adkim')) },
    testing: value('t') === 'y',
    psd: psd === 'y' || psd === 'n' ? psd : 'u',
    reportUris,
    text,
  };
}

/** Unlike DKIM's: what is no tag is passed over, as the rest of the record may be in order (RFC 9989 §4.7). */
function tagsOf(text: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    // In whatever case: RFC 9989 writes the names as ABNF literals.
    const name = trim(part.slice(0, Math.max(0, equals))).toLowerCase();
    if (name === '') continue;
    if (tags.has(name)) return undefined;
    tags.set(name, trim(part.slice(equals + 1)));
  }
  return tags;
}

/** Undefined where one of them is no policy. */
function readPolicies(
  p: string | undefined,
  sp: string | undefined,
  np: string | undefined,
): DmarcRecord['policies'] {
  const isValid = (text: string | undefined): text is DmarcPolicy | undefined =>
    text === undefined || isPolicy(text);
  if (!isPolicy(p) || !isValid(sp) || !isValid(np)) return undefined;
  return { p, ...(sp !== undefined && { sp }), ...(np !== undefined && { np }) };
}

/** Whoever asks for reports wants to know, and be it that the rest is wrong (RFC 9989 §4.10.1). */
const withoutPolicy = (reportUris: readonly string[]): DmarcRecord['policies'] =>
  reportUris.length > 0 ? { p: 'none' } : undefined;

const isPolicy = (text: string | undefined): text is DmarcPolicy =>
  text === 'none' || text === 'quarantine' || text === 'reject';

const readMode = (text: string | undefined): AlignmentMode => (text === 's' ? 'strict' : 'relaxed');

/** An absolute URI of RFC 3986 whose commas and exclamation marks are escaped; a size may follow (RFC 7489 §6.2). */
const isReportUri = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:(?:[a-z0-9\-._~:/?#[\]@$&'()*+;=]|%[0-9a-f]{2})*(?:!\d{1,18}[kmgt]?)?$/i.test(text);
