/** Every condition that a policy can name, and how it is written: `name`, or `name:argument`. */

import type { Condition } from './condition.ts';
import { authenticationConditions } from './conditions/authentication.ts';
import { clientConditions } from './conditions/client.ts';
import { contentConditions } from './conditions/content.ts';
import { filterConditions } from './conditions/filters.ts';
import { historyConditions } from './conditions/history.ts';
import { senderConditions } from './conditions/senders.ts';

const all = {
  ...authenticationConditions,
  ...clientConditions,
  ...contentConditions,
  ...senderConditions,
  ...historyConditions,
  ...filterConditions,
};

export type ConditionName = keyof typeof all;

/** By its name. */
export const conditions: Readonly<Record<ConditionName, Condition>> = all;

export const conditionNames = Object.keys(all) as ConditionName[]; // the keys of a literal

/** A condition as a policy has it. */
export interface Named {
  name: ConditionName;
  /** '' where there is none. */
  argument: string;
}

export const spell = ({ name, argument }: Named): string => (argument === '' ? name : `${name}:${argument}`);

/** Reads `name` or `name:argument`; otherwise says what is wrong with it. */
export function readCondition(text: string): Named | { problem: string } {
  const colon = text.indexOf(':');
  const [name, argument] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (!isConditionName(name))
    return { problem: `there is no condition "${name}"; there are ${conditionNames.join(', ')}` };
  const rule = conditions[name].argument;
  if (rule === undefined)
    return colon < 0 ? { name, argument } : { problem: `"${name}" stands alone, without a colon` };
  if (argument === '' && rule.optional && colon < 0) return { name, argument };
  const isValid = rule.words?.includes(argument) ?? rule.isValid?.(argument) ?? argument !== '';
  if (isValid) return { name, argument };
  const choice = rule.words ? `one of ${rule.words.join(', ')}` : rule.about;
  return { problem: `"${name}" is followed by a colon and ${choice}, as in "${name}:${rule.example}"` };
}

const isConditionName = (name: string): name is ConditionName => Object.hasOwn(all, name);
