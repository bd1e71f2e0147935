import { describe, expect, test } from 'vitest';
import { readCondition } from '../conditions.ts';
import { decide } from '../decide.ts';
import type { AttachmentsFact } from '../facts.ts';
import { readChecks } from '../policy.ts';

const judged = (condition: string, attachments: Partial<AttachmentsFact>) =>
  decide(
    [
      {
        policy: { name: 'default', junkAt: 5, checks: readChecks([[condition, 'reject']]) },
        judged: {
          facts: {
            version: 1,
            client: { address: '192.0.2.1', helo: 'mx.example.org' },
            reversePath: 'a@example.org',
            attachments: { names: [], extensions: [], types: [], ...attachments },
          },
          recipient: { recipient: 'b@example.com' },
          lists: { block: [], allow: [] },
        },
      },
    ],
    { stage: 'message' },
  );

describe('attachment:', () => {
  const exe = { names: ['a.exe'], extensions: ['exe'] };
  const docm = { names: ['a.docm'], extensions: ['docm'] };
  const cut = { cut: 'more than 1000 parts' };
  test.each([
    ['programs', exe, 'reject'],
    ['programs', docm, 'accept'],
    ['programs,macros', docm, 'reject'],
    ['programs,macros', exe, 'reject'],
    ['macros,pdf', { names: ['a.pdf'], extensions: ['pdf'] }, 'reject'],
    ['programs', cut, 'accept'],
    ['unreadable', cut, 'reject'],
    ['programs,unreadable', cut, 'reject'],
    ['unreadable', exe, 'accept'],
  ] as const)('%s of %j', (argument, attachments, decision) => {
    expect(readCondition(`attachment:${argument}`)).not.toHaveProperty('problem');
    expect(judged(`attachment:${argument}`, attachments).decision).toBe(decision);
  });

  test('what was not looked at is told, whether it counts or not', () => {
    const told = 'not all was looked at: more than 1000 parts';
    expect(judged('attachment:unreadable', cut).rule).toContain(told);
    expect(judged('attachment:exe', cut).rulings[0]?.judgement.unknown[0]?.finding.why).toBe(told);
  });
});
