import { expect, test } from 'vitest';
import { replaceVariables, unknownVariables } from './variables.ts';

const variables = {
  recipient: 'bob@example.net',
  user: `\${sender}`,
  domain: 'example.net',
  sender: '',
  queueId: '$&',
};

test.each([
  ['', ''],
  ['plain $recipient {user} $', 'plain $recipient {user} $'],
  [`\${recipient}`, 'bob@example.net'],
  [`<\${recipient}>+\${domain}\${domain}`, '<bob@example.net>+example.netexample.net'],
  [`[\${sender}]`, '[]'],
  [`\${user} \${queueId}`, `\${sender} $&`],
  [`\${unknown} \${} \${recipient`, `\${unknown} \${} \${recipient`],
  [`\${constructor}`, `\${constructor}`],
])('replaceVariables(%j) is %j', (text, replaced) => {
  expect(replaceVariables(text, variables)).toBe(replaced);
});

test('unknownVariables() names those that nobody knows', () => {
  expect(unknownVariables(`\${recipient} \${Recipient} \${} $x \${toString}`)).toEqual([
    'Recipient',
    '',
    'toString',
  ]);
});
