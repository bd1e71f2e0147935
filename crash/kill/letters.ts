/** The messages of the kill rounds: a text that follows from the number, so that a torn or mixed one is seen. */

import { numberIn } from '../../e2e/peers/flood.ts';

/**
 * What a number means: small ones up to here; then such as make the store's log grow so fast that it is copied back every
 * few rounds; then such as the store does not keep inline, so that they have a spool file.
 */
export const firstMedium = 1_000_000;
export const firstLarge = 2_000_000;

const smallLines = 40;
const mediumLines = 1_200;
const largeLines = 5_000;

/** CRLF line ends; about 1, 40 and 160 KiB. */
export function bodyOf(number: number): string {
  const lines = number < firstMedium ? smallLines : number < firstLarge ? mediumLines : largeLines;
  return `Whole lines of message ${number}.\r\n`.repeat(lines);
}

/** The message's number; whether all of its text is there, and nothing after it. Undefined for other messages. */
export function recognise(message: Buffer): { number: number; whole: boolean } | undefined {
  const number = numberIn(message);
  if (number === undefined) return undefined;
  const text = message.toString('latin1').replaceAll('\r\n', '\n');
  return { number, whole: text.endsWith(`\n\n${bodyOf(number).replaceAll('\r\n', '\n')}`) };
}
