/** Times that must agree: who is asked to come again must be able to, and a ban can be no longer than the longest. */

import type { Draft, Finding } from './draft.ts';

export function checkWaits({ greylisting, abuse }: Pick<Draft, 'greylisting' | 'abuse'>): Finding[] {
  const { minutes = 0, windowHours = Number.POSITIVE_INFINITY } = greylisting;
  const { banMinutes = 0, banMaxHours = Number.POSITIVE_INFINITY } = abuse;
  return [
    ...(minutes < 60 * windowHours
      ? []
      : [
          {
            path: ['greylisting', 'minutes'],
            what: `nobody would ever pass: who has waited ${minutes} minutes is forgotten already (windowHours = ${windowHours})`,
            remedy: 'Write a shorter wait, such as 5, or raise windowHours.',
          },
        ]),
    ...(banMinutes <= 60 * banMaxHours
      ? []
      : [
          {
            path: ['abuse', 'banMinutes'],
            what: `the first ban would be longer than the longest (banMaxHours = ${banMaxHours})`,
            remedy: 'Write a shorter one, such as 15, or raise banMaxHours.',
          },
        ]),
  ];
}
