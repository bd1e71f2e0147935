/** `${name}` in a text that an administrator writes, replaced by what is known of a message. There is no other syntax. */

export const variableNames = ['recipient', 'user', 'domain', 'sender', 'queueId'] as const;

export type VariableName = (typeof variableNames)[number];

export type Variables = Readonly<Record<VariableName, string>>;

const pattern = /\$\{([^}]*)\}/g;

const isKnown = (name: string): name is VariableName => variableNames.some((known) => known === name);

/** Names in a text that nobody knows. */
export const unknownVariables = (text: string): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name).filter((name) => !isKnown(name));

/** Replaces them; what comes out is not looked at again. */
export const replaceVariables = (text: string, variables: Variables): string =>
  text.replace(pattern, (whole, name: string) => (isKnown(name) ? variables[name] : whole));
