/** ValiMail's suite for ARC (testdata/arc), each case one test; none is left out. */

import { describe, expect, it } from 'vitest';
import { loadSuite, textResolver } from '../testing/suite-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { checkSender } from './check.ts';

interface ValidationGroup {
  description: string;
  zone: Record<string, string>;
  tests: { name: string; description: string; message: string; cv: string }[];
}

const crlf = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, '\r\n'));

/** The suite leaves these open; the chain says itself that it is broken, so that nothing else can be found. */
const undecided = 'fail';

describe.each(loadSuite<ValidationGroup[]>('arc/validation.json'))('$description', ({ zone, tests }) => {
  it.each(tests)('suite arc: $name: $description', async ({ message, cv }) => {
    const { arc } = await checkSender(
      { resolver: textResolver(zone), hostname: 'mx.example', clock: systemClock },
      { clientAddress: '192.0.2.1', helo: 'client.example', reversePath: '', message: crlf(message) },
    );
    expect(arc?.result, JSON.stringify(arc, null, 1)).toBe(cv === '' ? undecided : cv);
  });
});
