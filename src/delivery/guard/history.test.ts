import { describe, expect, it } from 'vitest';
import { type Finding, type History, historyAfter, isUnsettled, standingOf } from './history.ts';

const hourMs = 3600_000;
const reverse = (result: Finding['result']): Finding => ({
  check: 'reverse',
  subject: '',
  result,
  evidence: `reverse: ${result}`,
});
const listed = (result: Finding['result']): Finding => ({
  check: 'blocklist',
  subject: 'bl.example',
  result,
  evidence: `list: ${result}`,
});

/** The history after checks with these results, so many hours after the first. */
function checked(...checks: [hours: number, ...findings: Finding[]][]): History {
  return checks.reduce<History | undefined>(
    (history, [hours, ...findings]) => historyAfter(history, findings, hours * hourMs),
    undefined,
  ) as History;
}

const bad = reverse('bad');

describe('standingOf()', () => {
  it('disqualifies what fails three times an hour apart, with the reason', () => {
    expect(standingOf(checked([0, bad], [1, bad]))).toMatchObject({ isFit: true });
    const standing = standingOf(checked([0, bad], [1, bad], [2, bad]));
    expect(standing).toMatchObject({ isFit: false, reason: 'reverse: bad' });
  });

  it('counts failures that are closer together once', () => {
    expect(standingOf(checked([0, bad], [0.1, bad], [0.9, bad], [1, bad])).isFit).toBe(true);
  });

  it('forgets the failures as soon as it is good, and begins to count anew', () => {
    expect(standingOf(checked([0, bad], [1, bad], [2, bad], [3, reverse('good')]))).toEqual({
      isFit: true,
      rank: 0,
    });
    expect(standingOf(checked([0, bad], [1, bad], [2, reverse('good')], [3, bad], [4, bad])).isFit).toBe(
      true,
    );
  });

  it('never disqualifies for what is not known, nor forgets for it', () => {
    const unknown = reverse('unknown');
    expect(standingOf(checked([0, unknown], [1, unknown], [2, unknown], [3, unknown])).isFit).toBe(true);
    expect(standingOf(checked([0, bad], [1, bad], [2, unknown], [3, bad])).isFit).toBe(false);
    expect(standingOf(checked([0, bad], [1, bad], [2, bad], [3, unknown])).isFit).toBe(false);
  });

  it('never disqualifies for a block list, nor for what a domain does not publish', () => {
    const absent: Finding = { check: 'spf', subject: 'example.com', result: 'absent', evidence: 'no SPF' };
    const checks = [0, 1, 2, 3].map((hours): [number, ...Finding[]] => [hours, listed('bad'), absent]);
    expect(standingOf(checked(...checks)).isFit).toBe(true);
  });

  it('disqualifies at once an address from which nothing can be sent', () => {
    expect(
      standingOf(checked([0, { check: 'address', subject: '', result: 'bad', evidence: 'x' }])).isFit,
    ).toBe(false);
  });

  it('ranks: a disqualification outweighs a failure, a failure a listing, a listing a doubt, a doubt nothing', () => {
    const ranks = [
      checked([0, reverse('good'), listed('unknown')]),
      checked([0, reverse('unknown')]),
      checked([0, listed('bad')]),
      checked([0, bad]),
      checked([0, bad], [1, bad], [2, bad]),
    ].map((history) => standingOf(history).rank);
    expect(ranks.toSorted((a, b) => a - b)).toEqual(ranks);
    expect(new Set(ranks).size).toBe(ranks.length);
    expect(ranks[0]).toBe(0);
  });

  it('survives JSON, as the store keeps it', () => {
    const history = checked([0, bad], [1, bad]);
    const read: History = JSON.parse(JSON.stringify(history));
    expect(standingOf(historyAfter(read, [bad], 2 * hourMs)).isFit).toBe(false);
  });
});

describe('isUnsettled()', () => {
  it('wants another look soon where something failed or is not known, but for block lists', () => {
    const looks = [[bad], [reverse('unknown')], [listed('bad')], [reverse('good')]] as const;
    expect(looks.map((findings) => isUnsettled(historyAfter(undefined, findings, 0)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
