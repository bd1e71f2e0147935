/** The ids in the value of a Message-ID, In-Reply-To or References field (RFC 5322 §3.6.4). */

/** Characters of a field that are looked at. */
const maxLength = 65_536;

/**
 * With their angle brackets, in order. Some write one without any: it is taken as it stands, in brackets. `value` is
 * unfolded.
 */
export function messageIdsOf(value: string): string[] {
  const text = value.slice(0, maxLength).trim();
  if (!text.includes('<')) return text === '' ? [] : [`<${text}>`];
  return (text.match(/<[^<>]+>/g) ?? []).map((id) => id);
}
