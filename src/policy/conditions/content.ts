/** Conditions over the message itself. */

import { type Condition, no, yes } from '../condition.ts';

export const contentConditions = {
  always: {
    about: 'every message',
    needs: [],
    find: () => yes('it holds for every message'),
  },
  'unasked-report': {
    about: 'a delivery report about a message that was not sent from here',
    needs: ['report'],
    find: ({ facts: { report } }) =>
      report?.unasked ? yes(report.why) : no(report?.why ?? 'it is no delivery report'),
    remedy: () => 'it reported on a message that was sent from here',
  },
} as const satisfies Record<string, Condition>;
