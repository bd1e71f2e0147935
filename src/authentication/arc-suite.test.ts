/** ValiMail's suite for ARC (testdata/arc), each case one test; none is left out. */

import { describe, expect, it } from 'vitest';
import { fieldValue, findFields, type HeaderField, parseHeader } from '../mail/header.ts';
import { loadSuite, textResolver } from '../testing/suite-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { sealFields } from './arc-seal.ts';
import { bodyHasher } from './body-hash.ts';
import { checkSender } from './check.ts';
import { createSigner } from './dkim-sign.ts';

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
      { resolver: textResolver(zone), clock: systemClock },
      { clientAddress: '192.0.2.1', helo: 'client.example', reversePath: '', message: crlf(message) },
    );
    expect(arc?.result, JSON.stringify(arc, null, 1)).toBe(cv === '' ? undecided : cv);
  });
});

interface SigningGroup {
  description: string;
  domain: string;
  selector: string;
  privateKey: string;
  zone: Record<string, string>;
  tests: {
    name: string;
    description: string;
    message: string;
    t: string;
    'sig-headers': string;
    'srv-id': string;
    AS: string;
    AMS: string;
    AAR: string;
  }[];
}

const withoutSpace = (text: string): string => text.replace(/\s+/g, '');

/** The value of the field of this name in the new set, which is on top. */
const newValue = (fields: string, name: string): string =>
  fieldValue(findFields(parseHeader(Buffer.from(fields)).fields, name)[0] ?? { name, raw: Buffer.of() });

/** All that the server wrote, as one: the suite takes it from the message, we have it from our verdicts. */
function resultsOf(fields: readonly HeaderField[], server: string): string {
  const start = `${server};`;
  const values = findFields(fields, 'authentication-results').map(fieldValue);
  const own = values
    .filter((value) => value.startsWith(start))
    .map((value) => value.slice(start.length).trim());
  return [server, ...own].join('; ');
}

describe.each(loadSuite<SigningGroup[]>('arc/signing.json'))('$description', (group) => {
  const { domain, selector, privateKey: privateKeyPem, zone, tests } = group;
  const signer = createSigner({ domain, selector, privateKeyPem, clock: systemClock });

  it.each(tests)('suite arc: signing: $name: $description', async (test) => {
    const message = crlf(test.message);
    const { arc } = await checkSender(
      { resolver: textResolver(zone), clock: systemClock },
      { clientAddress: '192.0.2.1', helo: 'client.example', reversePath: '', message },
    );
    const { fields, bodyOffset } = parseHeader(message);
    const hasher = bodyHasher();
    hasher.update(message.subarray(bodyOffset));
    const set =
      (await sealFields(signer, {
        fields,
        bodyHash: hasher.digest(),
        results: resultsOf(fields, test['srv-id']),
        chain: arc ?? { result: 'none' },
        names: test['sig-headers'].split(':'),
        time: Number(test.t),
      })) ?? '';
    expect(withoutSpace(newValue(set, 'arc-authentication-results'))).toBe(withoutSpace(test.AAR));
    expect(withoutSpace(newValue(set, 'arc-message-signature'))).toBe(withoutSpace(test.AMS));
    expect(withoutSpace(newValue(set, 'arc-seal'))).toBe(withoutSpace(test.AS));
  });
});
