/** xtext (RFC 3461 §4): printable ASCII in one ESMTP value, where `+`, `=` and all else stand as `+` and two hex digits. */

const xtext = /^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/;

/** Undefined for what is no xtext, and for octets that a report could not show: they could end its line. */
export function decodeXtext(text: string): string | undefined {
  if (!xtext.test(text)) return undefined;
  const decoded = text.replace(/\+(..)/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return /^[\x20-\x7e]*$/.test(decoded) ? decoded : undefined;
}

/** `text` is printable ASCII, spaces allowed. */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-~]|[+=]/g, (character) => `+${hex(character.charCodeAt(0))}`);
}

const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, '0');
