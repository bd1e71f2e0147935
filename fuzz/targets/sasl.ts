/** SASL exchanges (PLAIN, LOGIN, SCRAM-SHA-256): each line of the input is one response. */

import type { Credentials } from '../../src/sasl/exchange.ts';
import { longestPartBytes, startExchange } from '../../src/sasl/mechanisms.ts';
import { between, demand, type Target } from './target.ts';

/** More than any mechanism has: what comes after the end is answered too. */
const maxSteps = 6;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function step(mechanism: string, input: Buffer): void {
  const exchange = startExchange(mechanism);
  const [first, ...lines] = input.toString('latin1').split('\n', maxSteps);
  for (const line of [first === '' ? undefined : first, ...lines]) {
    const answer = exchange?.step(line);
    if (answer?.kind === 'challenge')
      demand(/^[A-Za-z0-9+/]*=*$/.test(answer.challenge), 'a challenge is not base64');
    if (answer?.kind === 'claim' && 'password' in answer.claim) checkCredentials(answer.claim);
  }
}

function checkCredentials({ user, password }: Credentials): void {
  const fits = (part: string) =>
    part !== '' && !part.includes('\0') && Buffer.byteLength(part) <= longestPartBytes;
  demand(fits(user) && fits(password), 'credentials that cannot be');
}

export const sasl: Target = {
  name: 'sasl',
  seeds: () =>
    [
      base64('\0bob\0secret'),
      `\n${base64('bob')}\n${base64('secret')}`,
      '=',
      '*',
      `${base64('a\0b\0c')}\n`,
    ].map((text) => Buffer.from(text)),
  read: (input) => {
    step('PLAIN', input);
    step('LOGIN', input);
    step('SCRAM-SHA-256', input);
  },
  places: [between('\n'), between(`\n${base64('bob')}\n`)],
};
