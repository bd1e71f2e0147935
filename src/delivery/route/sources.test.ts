import { describe, expect, it } from 'vitest';
import type { SourceConfig } from '../../config/sending.ts';
import type { Endpoint } from '../../dossier/event.ts';
import {
  domainsWithoutSource,
  type Standing,
  type Standings,
  sourceChooser,
  withSources,
} from './sources.ts';

const [four, fourToo, six, sixToo] = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2'] as const;
const fit: Standing = { isFit: true, rank: 0 };
const unfit: Standing = { isFit: false, rank: 5, reason: '2001:db8::1 has no reverse name' };

function standings(known: Record<string, Standing> = {}, system: readonly string[] = [four, six]): Standings {
  return {
    spotless: Object.values(known).every(({ isFit, rank }) => isFit && rank === 0),
    of: (address) => known[address] ?? fit,
    ofSystem: (family) => system.filter((address) => address.includes(':') === (family === 6)),
  };
}

const isOurs = (domain: string) => domain === 'example.com';

const source = (address: string, ...senders: string[]): SourceConfig => ({ address, senders });

function chooser(sources: SourceConfig[], known: Record<string, Standing> = {}, random = () => 0) {
  return sourceChooser({ sources, isOurs, standings: standings(known), random });
}

describe('sourceChooser()', () => {
  it('leaves it to the system where nothing is configured and nothing held against an address', () => {
    expect(chooser([]).choose('a@example.com')).toBeUndefined();
  });

  it('P13: tells which family the system must not use, and why', () => {
    const { choices } = chooser([], { [six]: unfit }).choose('a@example.com') ?? {};
    expect(choices).toEqual({ 6: { address: six, ...unfit }, 4: fit });
  });

  it('takes the choice from the system where it might take an address that is not fit', () => {
    const known = standings({ [six]: unfit }, [six, sixToo]);
    const parts = { sources: [], isOurs, standings: known, random: () => 0 };
    expect(sourceChooser(parts).choose('')?.choices[6]).toEqual({ address: sixToo, ...fit });
  });

  it.each([
    ['its own address', 'News@example.com', [four]],
    ['its domain', 'bob@example.com', [fourToo]],
    ['what is for everybody', 'bob@example.org', [six]],
    ['what is for everybody: reports', '', [six]],
  ])('has sources by sender: %s', (_, sender, expected) => {
    const sources = [source(four, 'news@example.com'), source(fourToo, 'example.com'), source(six)];
    const choices = chooser(sources).choose(sender)?.choices ?? {};
    expect(Object.values(choices).map(({ address }) => address)).toEqual(expected);
  });

  it.each([
    ['reports', '', four],
    ['what an alias leads on from outside', 'eve@example.org', four],
    ['our own, who could be named', 'bob@example.com', undefined],
  ])('where each source names its senders, has for others: %s', (_, sender, expected) => {
    const choices = chooser([source(four, 'news@example.com')]).choose(sender)?.choices;
    expect(choices?.[4]?.address).toBe(expected);
  });

  it('spreads over those that are as good as each other, and over no others', () => {
    const sources = [source(four), source(fourToo), source('192.0.2.3')];
    const known = { '192.0.2.3': { isFit: true, rank: 1 } };
    const taken = [0, 0.49, 0.5, 0.99].map(
      (lot) => chooser(sources, known, () => lot).choose('')?.choices[4]?.address,
    );
    expect(taken).toEqual([four, four, fourToo, fourToo]);
  });

  it('M7: keeps to the address that the receiver knows, while it is fit and still for this sender', () => {
    const sources = [source(four), source(fourToo), source(six)];
    expect(chooser(sources).choose('', fourToo)).toMatchObject({
      known: 4,
      choices: { 4: { address: fourToo } },
    });
    expect(chooser(sources, { [fourToo]: unfit }).choose('', fourToo)?.choices[4]?.address).toBe(four);
    expect(chooser([source(four)]).choose('', fourToo)?.choices[4]?.address).toBe(four);
    expect(chooser([]).choose('', six)).toEqual({ known: 6, choices: { 4: fit, 6: fit } });
  });
});

describe('domainsWithoutSource()', () => {
  const domains = [{ name: 'example.com' }, { name: 'example.net' }];

  it.each([
    ['none, where the system chooses', [], []],
    ['none, where one is for everybody', [source(four, 'example.com'), source(six)], []],
    ['those that no source names', [source(four, 'example.com')], ['example.net']],
    [
      'one of which only some addresses are named',
      [source(four, 'a@example.com', 'example.net')],
      ['example.com'],
    ],
  ])('names %s', (_, sources, expected) => {
    expect(domainsWithoutSource({ sources, domains })).toEqual(expected);
  });
});

const at = (host: string, address: string): Endpoint => ({ host, address, port: 25 });
const both = [[at('mx1', '2001:db8::a'), at('mx1', '198.51.100.1')], [at('mx2', '2001:db8::b')]];
const addressesOf = (hosts: Endpoint[][]) =>
  hosts.map((host) => host.map((each) => `${each.source ?? ''}>${each.address}`));

describe('withSources()', () => {
  it('gives every endpoint our address of its family', () => {
    const { hosts, rule } = withSources(both, {
      choices: { 4: { address: four, ...fit }, 6: { address: six, ...fit } },
    });
    expect(addressesOf(hosts)).toEqual([
      [`${six}>2001:db8::a`, `${four}>198.51.100.1`],
      [`${six}>2001:db8::b`],
    ]);
    expect(rule).toBeUndefined();
  });

  it('P13: passes over what only an unfit address could reach, and says why', () => {
    const { hosts, rule } = withSources(both, { choices: { 4: fit, 6: { address: six, ...unfit } } });
    expect(addressesOf(hosts)).toEqual([['>198.51.100.1']]);
    expect(rule).toBe('IPv6 is passed over: 2001:db8::1 has no reverse name');
  });

  it('sends from the best of them where none is fit', () => {
    const worse = { isFit: false, rank: 9, reason: 'x' };
    const plan = { choices: { 4: { address: four, ...worse }, 6: { address: six, ...unfit } } };
    const { hosts, rule } = withSources(both, plan);
    expect(addressesOf(hosts)).toEqual([[`${six}>2001:db8::a`], [`${six}>2001:db8::b`]]);
    expect(rule).toContain('no address of ours qualifies');
  });

  it('sends from an unfit address to who can be reached from no other', () => {
    const only6 = [[at('mx2', '2001:db8::b')]];
    const { hosts } = withSources(only6, { choices: { 4: fit, 6: { address: six, ...unfit } } });
    expect(addressesOf(hosts)).toEqual([[`${six}>2001:db8::b`]]);
  });

  it('leaves out a family for which there is no source', () => {
    const { hosts, rule } = withSources(both, { choices: { 4: { address: four, ...fit } } });
    expect(addressesOf(hosts)).toEqual([[`${four}>198.51.100.1`]]);
    expect(rule).toBe('IPv6 is not used: no source of it is configured for this sender');
    expect(withSources([[at('mx2', '2001:db8::b')]], { choices: { 4: fit } }).hosts).toEqual([]);
  });

  it('M7: begins with the family that the receiver knows us by', () => {
    const { hosts } = withSources(both, { choices: { 4: fit, 6: fit }, known: 4 });
    expect(addressesOf(hosts)[0]).toEqual(['>198.51.100.1', '>2001:db8::a']);
  });
});

describe('withSources() and what is held against an address', () => {
  const doubtful: Standing = { isFit: true, rank: 100, reason: 'no PTR' };

  it('P13: lets the other family go first, and says why', () => {
    const { hosts, rule } = withSources(both, { choices: { 4: fit, 6: doubtful } });
    expect(addressesOf(hosts)).toEqual([['>198.51.100.1', '>2001:db8::a'], ['>2001:db8::b']]);
    expect(rule).toBe('IPv6 comes last: no PTR');
  });

  it('does not ask who is on this machine how we are known outside', () => {
    const local = [[at('localhost', '::1'), at('localhost', '127.0.0.1')]];
    const plan = { choices: { 4: { address: four, ...fit }, 6: { address: six, ...unfit } } };
    const { hosts, rule } = withSources(local, plan);
    expect(addressesOf(hosts)).toEqual([['>::1', '>127.0.0.1']]);
    const socket = [[at('lmtp', '/run/lmtp')]];
    expect(addressesOf(withSources(socket, plan).hosts)).toEqual([['>/run/lmtp']]);
    expect(rule).toBeUndefined();
  });
});
