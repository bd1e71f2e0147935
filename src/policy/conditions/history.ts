/** Conditions over what came from the same network, domain and sender before: learned from our own outcomes alone. */

import { type Condition, no, yes } from '../condition.ts';
import type { Facts, HistoryFact } from '../facts.ts';

/** So much has to have come before anything follows from it, and so large a part of it has to have been good, or bad. */
export const reputationThresholds = { least: 10, good: 0.95, bad: 0.1 } as const;

export type Reputation = 'good' | 'bad' | 'unknown';

export function reputationOf({ accepted, junk, refused, unknown }: HistoryFact): Reputation {
  const total = accepted + junk + refused + unknown;
  const { least, good, bad } = reputationThresholds;
  if (total < least) return 'unknown';
  const share = accepted / total;
  if (share >= good) return 'good';
  return share <= bad ? 'bad' : 'unknown';
}

const rounded = (count: number): number => Math.round(count);

function historyWords({ name, accepted, junk, refused, unknown }: HistoryFact): string {
  const parts = [
    `${rounded(accepted)} accepted`,
    `${rounded(junk)} junk`,
    `${rounded(refused)} refused`,
    `${rounded(unknown)} to nobody`,
  ];
  return `of the mail of ${name} so far ${parts.join(', ')}`;
}

/** The domain's where it is proven and known; whoever can prove who they are is not answerable for their neighbours. */
function decisive({ networkHistory, domainHistory }: Facts): HistoryFact | undefined {
  const isKnown = domainHistory && reputationOf(domainHistory) !== 'unknown';
  return isKnown ? domainHistory : networkHistory;
}

const acquaintanceWords = ['domain', 'server'] as const;

const ratePattern = /^(\d{1,7})\/hour$/;

export const historyConditions = {
  reputation: {
    about:
      'what became of earlier mail of the domain that is proven to have sent it, or else of the network (the /24, or the /64 of IPv6): ' +
      `good: at least ${reputationThresholds.good * 100} % of ${reputationThresholds.least} and more were accepted; bad: at most ${reputationThresholds.bad * 100} %`,
    argument: { about: 'which it is', words: ['good', 'bad'], example: 'bad' },
    needs: ['networkHistory', 'domainHistory'],
    find({ facts }, argument) {
      const history = decisive(facts);
      if (history === undefined) return no('nothing is known of it');
      return reputationOf(history) === argument ? yes(historyWords(history)) : no(historyWords(history));
    },
    remedy: ({ facts }, argument) =>
      argument === 'bad'
        ? `more of the mail of ${decisive(facts)?.name} had been welcome`
        : 'less of it had been welcome',
    refusal: ({ facts: { client } }) => [
      `Refused: what comes from the network of ${client.address} is hardly ever welcome here`,
      'Ask the recipient by another way, or send by another server',
    ],
  },
  rate: {
    about: "so much has come from the client's network (the /24, or the /64 of IPv6) within an hour",
    argument: {
      about: 'a number and /hour',
      isValid: (argument) => ratePattern.test(argument),
      example: '100/hour',
    },
    needs: ['networkHistory'],
    find({ facts: { networkHistory } }, argument) {
      const { name = '', lastHour = 0 } = networkHistory ?? {};
      const why = `${rounded(lastHour)} came from ${name} within the last hour`;
      return lastHour >= Number(ratePattern.exec(argument)?.[1]) ? yes(why) : no(why);
    },
    remedy: ({ facts: { networkHistory } }) => `less had come from ${networkHistory?.name} within an hour`,
    refusal: () => ['Refused: too much comes from your network. Send less, or later'],
  },
  'first-time-sender': {
    about:
      'the recipient has neither had mail in the Inbox that was proven to be of this address, nor written to it; ' +
      'domain: of this domain; server: nobody here has had any of this domain',
    argument: { about: 'whom they do not know', words: acquaintanceWords, example: 'domain', optional: true },
    needs: ['acquaintance'],
    find({ recipient: { acquaintance } }, argument) {
      if (acquaintance === undefined) return no('');
      const isKnown = acquaintance[argument === 'domain' || argument === 'server' ? argument : 'address'];
      return isKnown ? no(acquaintance.why) : yes(acquaintance.why);
    },
    remedy: () => 'the recipient had written to its sender before',
  },
} as const satisfies Record<string, Condition>;
