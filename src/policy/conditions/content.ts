/** Conditions over the message itself. */

import { type Condition, no, yes } from '../condition.ts';

export const contentConditions = {
  always: {
    about: 'every message',
    needs: [],
    find: () => yes('it holds for every message'),
  },
  size: {
    about: 'the message has more octets than that; K and M stand for KiB and MiB',
    argument: {
      about: '> and a size',
      isValid: (argument) => octetsIn(argument) !== undefined,
      example: '>10M',
    },
    needs: ['sizeBytes'],
    find({ facts: { sizeBytes = 0 } }, argument) {
      const limit = octetsIn(argument) ?? Number.POSITIVE_INFINITY;
      const why = `the message has ${sizeBytes} octets`;
      return sizeBytes > limit ? yes(`${why}, more than ${argument.slice(1)}`) : no(why);
    },
    remedy: (_, argument) => `it had no more than ${argument.slice(1)} octets`,
    refusal: (_, argument) => [
      `Refused: the message is larger than ${argument.slice(1)}; send less, or a link`,
    ],
  },
  'unasked-report': {
    about: 'a delivery report about a message that was not sent from here',
    needs: ['report'],
    find: ({ facts: { report } }) =>
      report?.unasked ? yes(report.why) : no(report?.why ?? 'it is no delivery report'),
    remedy: () => 'it reported on a message that was sent from here',
  },
} as const satisfies Record<string, Condition>;

/** What `>10M` stands for; undefined for what is no size. */
function octetsIn(argument: string): number | undefined {
  const [, digits, unit = ''] = /^>(\d{1,12})([KM]?)$/.exec(argument) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * { '': 1, K: 1024, M: 1024 * 1024 }[unit as '' | 'K' | 'M']; // as the pattern has it
}
