/** What a server says to us who log in by SCRAM: each line of the input is one challenge. No server that does not know the password is believed. */

import { MalformedChallengeError, startClientExchange } from '../../src/sasl/client.ts';
import { leastIterations } from '../../src/sasl/scram.ts';
import { octetsOf } from '../corpus.ts';
import { between, demand, type Target } from './target.ts';

/** More rounds than these take their time by design. */
const isQuick = (text: string): boolean => !/i=[1-9]\d{4}/.test(text);

async function read(input: Buffer): Promise<void> {
  const exchange = startClientExchange(
    'SCRAM-SHA-256',
    { user: 'us=,', password: 'secret' },
    { nonce: () => 'ours' },
  );
  for (const line of input.toString('utf8').split('\n', 4).filter(isQuick)) {
    try {
      const answer = await exchange.respond(line);
      demand(!answer.includes('secret') && !exchange.isComplete, 'a server is believed that proves nothing');
      demand(/^c=biws,r=ours[^,]+,p=[\w+/]+=*$/s.test(answer), 'an answer that is none');
    } catch (error) {
      if (!(error instanceof MalformedChallengeError)) throw error;
      demand(error.message.length < 200, 'an error that is told at length');
      return;
    }
  }
}

export const scramClient: Target = {
  name: 'scram-client',
  seeds: () =>
    octetsOf([
      `r=ourstheirs,s=c2FsdA==,i=${leastIterations}\nv=AAAA`,
      `r=ourstheirs,s=c2FsdA==,i=${leastIterations}\ne=invalid-proof`,
      `m=x,r=ours,s=,i=1`,
    ]),
  read,
  places: [between('r=ours', ',s=c2FsdA==,i=4096'), between('r=ourstheirs,s=', ',i=1'), between('')],
};
