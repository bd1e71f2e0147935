import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { ProgramEnd, ProgramRun } from '../net/program.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { Challenges } from './challenges.ts';
import { alpnResponder, dnsResponder, httpResponder } from './responders.ts';

const shown = { name: 'mx.example.com', token: 'token', keyAuthorization: 'token.thumbprint' };
const digest = createHash('sha256').update('token.thumbprint').digest();

it('httpResponder() answers at the token until it is removed', async () => {
  const challenges = new Challenges();
  const remove = await httpResponder(challenges).present(shown);
  expect(challenges.respondTo('token')).toBe('token.thumbprint');
  expect(challenges.respondTo('other')).toBeUndefined();
  await remove();
  expect(challenges.respondTo('token')).toBeUndefined();
});

it('alpnResponder() shows the digest for the name', async () => {
  const removed = vi.fn();
  const show = vi.fn(() => removed);
  const remove = await alpnResponder(show).present(shown);
  expect(show).toHaveBeenCalledWith('mx.example.com', digest);
  await remove();
  expect(removed).toHaveBeenCalledOnce();
});

describe('dnsResponder()', () => {
  const text = digest.toString('base64url');

  function stage(end: ProgramEnd = { kind: 'exited', code: 0, output: '' }, missing?: string) {
    const runs: (readonly string[])[] = [];
    const run = async ({ command }: ProgramRun) => {
      runs.push(command);
      return end;
    };
    const looked: string[][] = [];
    const shownInDns = async (name: string, value: string) => {
      looked.push([name, value]);
      return missing;
    };
    const { signal } = new AbortController();
    const responder = dnsResponder({ command: ['/hook', '-v'], run, shownInDns, clock: fakeClock(), signal });
    return { responder, runs, looked };
  }

  it('has a program enter the record, looks for it in DNS, and has it removed', async () => {
    const { responder, runs, looked } = stage();
    const remove = await responder.present({ ...shown, name: '*.example.com' });
    expect(runs).toEqual([['/hook', '-v', 'add', '_acme-challenge.example.com', text]]);
    expect(looked).toEqual([['_acme-challenge.example.com', text]]);
    await remove();
    expect(runs[1]).toEqual(['/hook', '-v', 'remove', '_acme-challenge.example.com', text]);
  });

  it('says what a name server does not show, and has it removed', async () => {
    const { responder, runs } = stage(undefined, 'ns2.example.com does not show it');
    await expect(responder.present(shown)).rejects.toThrow(
      'the hook has added the TXT record _acme-challenge.mx.example.com, but ns2.example.com does not show it',
    );
    expect(runs).toHaveLength(2);
  });

  it.each<[ProgramEnd, string]>([
    [{ kind: 'exited', code: 3, output: 'no such zone\nsecond line' }, 'ended with 3 and said: no such zone'],
    [{ kind: 'killed', by: 'SIGSEGV', output: '' }, 'was ended by SIGSEGV and said nothing'],
    [{ kind: 'timeout', output: '' }, 'took longer than 120 s'],
    [{ kind: 'notStarted', error: new Error('ENOENT') }, 'could not be run: ENOENT'],
  ])('says how a program failed: %j', async (end, words) => {
    await expect(stage(end).responder.present(shown)).rejects.toThrow(
      `the hook /hook add _acme-challenge.mx.example.com ${words}`,
    );
  });
});
