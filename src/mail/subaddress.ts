/**
 * Subaddresses, `user+tag@domain` (RFC 5233 §1): what stands behind the separator is the user's own business. Which
 * character separates is the domain's.
 */

/** What may separate: atext (RFC 5321 §4.1.2) that no name begins or ends with in earnest. */
export const tagSeparators = '+-=_#!%~.';

/** Readings of one local part: whoever writes a long chain of separators is not looked up at each of them. */
const maxReadings = 5;

/**
 * The users that a local part may be a subaddress of, the longest first: with `-`, `mary-ann-news` may be of `mary-ann`.
 * None where the separator is '' or not there.
 */
export function usersOf(localPart: string, separator: string): string[] {
  const users: string[] = [];
  if (separator === '') return users;
  for (let end = localPart.lastIndexOf(separator); end > 0; end = localPart.lastIndexOf(separator, end - 1))
    users.push(localPart.slice(0, end));
  return users.slice(-maxReadings);
}

/** Whether the one local part can be read as a subaddress of the other, by whatever separator. */
export function isTagged(localPart: string, user: string): boolean {
  const separator = localPart.charAt(user.length);
  return (
    separator !== '' &&
    tagSeparators.includes(separator) &&
    localPart.toLowerCase().startsWith(user.toLowerCase())
  );
}
