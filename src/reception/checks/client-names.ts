/** Finds what needs no question of ours, and what the sender checks else find with the message: `earlyTalker`, `iprev`, `spf`. */

import { checkIprev } from '../../authentication/iprev.ts';
import { checkSpf } from '../../authentication/spf.ts';
import { type CheckParts, withLookUps } from './check-look-ups.ts';
import type { FactSource } from './fact-source.ts';

/** Where the greeting is not delayed there is no time in which to talk early. */
export const earlyTalkerSource: FactSource = {
  finds: ['earlyTalker'],
  ofClient: ({ session: { talkedEarly } }) => ({
    earlyTalker:
      talkedEarly === undefined
        ? { talked: false, why: 'the greeting was not delayed, so that nobody could talk before it' }
        : {
            talked: talkedEarly,
            why: talkedEarly ? 'the client talked before it was greeted' : 'the client waited to be greeted',
          },
  }),
};

/** Already at RCPT, where a policy refuses by it there. */
export const iprevSource = (parts: CheckParts): FactSource => ({
  finds: ['iprev'],
  onlyEarly: true,
  ofClient: async ({ session: { peer } }) => ({
    iprev: await withLookUps(parts, (dns) => checkIprev(dns, peer.address)),
  }),
});

/** As iprevSource(). */
export const spfSource = (parts: CheckParts & { hostname: string }): FactSource => ({
  finds: ['spf'],
  onlyEarly: true,
  ofClient: async ({ session: { peer, hello }, transaction: { reversePath } }) => ({
    spf: await withLookUps(parts, (dns) =>
      checkSpf(dns, {
        clientAddress: peer.address,
        helo: hello?.name ?? '',
        reversePath,
        receiver: { hostname: parts.hostname, now: parts.clock.now() },
      }),
    ),
  }),
});
