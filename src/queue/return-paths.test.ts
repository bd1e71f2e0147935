import { describe, expect, test } from 'vitest';
import { parseAddress } from '../mail/address.ts';
import type { Memo } from '../store/memo-store.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { ReturnPaths, secretMs } from './return-paths.ts';

const bob = { localPart: 'bob', domain: 'example.com' };

/** Memos that outlive a ReturnPaths. */
function shelf() {
  const memos = new Map<string, Memo>();
  const store = {
    listMemos: async () => [...memos.values()],
    writeMemos: async (written: Memo[]) => {
      for (const memo of written) memos.set(memo.key, memo);
    },
    removeMemos: async (_kind: string, keys: string[]) => keys.filter((key) => memos.delete(key)).length,
  };
  return { memos, store };
}

const open = (store: ReturnType<typeof shelf>['store'], clock: FakeClock) =>
  ReturnPaths.read({ store, clock, isLocal: (domain) => domain === 'example.com' });

const back = (paths: ReturnPaths, text: string): string => {
  const address = parseAddress(text);
  const reversal = address && paths.reverse(address);
  return reversal?.kind === 'valid' ? `${reversal.sender.localPart}@${reversal.sender.domain}` : 'nobody';
};

describe('ReturnPaths', () => {
  test('rewrites who is elsewhere, and makes its secret when it is first needed', async () => {
    const { memos, store } = shelf();
    const paths = await open(store, fakeClock());
    expect(await paths.rewrite('', bob)).toBe('');
    expect(await paths.rewrite('eve@example.com', bob)).toBe('eve@example.com');
    expect(memos.size).toBe(0);
    const made = await paths.rewrite('ann@example.net', bob);
    expect(made).toMatch(/^SRS0=.*=example\.net=ann@example\.com$/);
    expect(memos.size).toBe(1);
    expect(back(paths, made)).toBe('ann@example.net');
  });

  test('makes one secret, however many need it at once, and knows it after a restart', async () => {
    const { memos, store } = shelf();
    const clock = fakeClock();
    const paths = await open(store, clock);
    const [made = '', other = ''] = await Promise.all(
      ['ann@example.net', 'eve@example.net'].map((sender) => paths.rewrite(sender, bob)),
    );
    expect(memos.size).toBe(1);
    const again = await open(store, clock);
    expect([back(again, made), back(again, other)]).toEqual(['ann@example.net', 'eve@example.net']);
  });

  test('changes it in time, and knows the one before', async () => {
    const { memos, store } = shelf();
    const clock = fakeClock();
    const paths = await open(store, clock);
    await paths.rewrite('ann@example.net', bob);
    clock.advance(secretMs - 24 * 3600_000);
    const old = await paths.rewrite('ann@example.net', bob);
    clock.advance(24 * 3600_000);
    const made = await paths.rewrite('ann@example.net', bob);
    expect(memos.size).toBe(2);
    expect([back(paths, old), back(paths, made)]).toEqual(['ann@example.net', 'ann@example.net']);
    clock.advance(secretMs);
    await paths.rewrite('ann@example.net', bob);
    expect(memos.size).toBe(2);
    expect(back(await open(store, clock), old)).toBe('nobody');
  });

  test('where an address would be too long, the forwarder hears of what goes wrong', async () => {
    const paths = await open(shelf().store, fakeClock());
    expect(await paths.rewrite(`${'a'.repeat(60)}@example.net`, bob)).toBe('bob@example.com');
  });
});
