/** The TXT record at `_smtp._tls.DOMAIN`: who wants to be told how TLS to this domain went (RFC 8460 §3). */

import { hasVersion, readFields } from '../dns/text-fields.ts';

const version = 'TLSRPTv1';

/** URIs that are looked at; more is a mistake or a trap. */
const maxUris = 10;

/**
 * Where reports go: `mailto:` and `https:` URIs. Empty where nobody asks for any: no record, more than one, or one
 * that is malformed count the same. `texts` are the records there, each joined.
 */
export function readReportUris(texts: readonly string[]): string[] {
  const [text, ...others] = texts.filter((each) => hasVersion(each, version));
  if (text === undefined || others.length > 0) return [];
  const lists = (readFields(text, version) ?? []).filter(([name]) => name === 'rua');
  const uris = lists.flatMap(([, value]) => value.split(',').map((uri) => uri.trim()));
  return uris.every(isUri) ? uris.filter((uri) => /^(?:mailto|https):/i.test(uri)).slice(0, maxUris) : [];
}

const isUri = (text: string): boolean =>
  !/\s/.test(text) && !/%(?![\da-f]{2})/i.test(text) && URL.canParse(text);
