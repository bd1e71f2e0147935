/**
 * Tells reports and other mail of automata by its header, so that none is answered by another (RFC 3834 §2). The null
 * sender of the envelope says it first; these are for what lost it on the way.
 */

import { fieldValue, findFields, type HeaderField } from '../mail/header.ts';

function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return findFields(fields, name).map((field) => fieldValue(field).toLowerCase());
}

/** A delivery status notification (RFC 3464) or a receipt (RFC 8098): any multipart/report. */
export function isReport(fields: readonly HeaderField[]): boolean {
  return valuesOf(fields, 'content-type').some((value) => /^multipart\/report\s*(?:;|$)/.test(value));
}

/** Mail that no person sent: reports, and whatever calls itself automatic (RFC 3834 §5). */
export function isAutomatic(fields: readonly HeaderField[]): boolean {
  const isAuto = (value: string) => value.replace(/[;(].*$/s, '').trim() !== 'no';
  return isReport(fields) || valuesOf(fields, 'auto-submitted').some(isAuto);
}
