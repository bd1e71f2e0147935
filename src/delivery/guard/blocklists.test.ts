import { describe, expect, it } from 'vitest';
import { lookUps } from '../../authentication/look-ups.ts';
import { reverseName } from '../../dns/reverse.ts';
import type { ZoneData } from '../../dns/zone-data.ts';
import { type Script, scriptedResolver } from '../../testing/scripted-resolver.ts';
import { askBlocklist } from './blocklists.ts';

const zone = 'bl.example';
const nibbles = (address: string) => reverseName(address).replace('.ip6.arpa', '');
const six = '2001:db8::1';
const mapped = (last: string) => nibbles(`0:0:0:0:0:ffff:7f00:${last}`);

const answering: ZoneData = {
  [zone]: { TXT: ['a block list'] },
  [`2.0.0.127.${zone}`]: { A: ['127.0.0.2'] },
  [`${mapped('2')}.${zone}`]: { A: ['127.0.0.2'] },
};

const ask = (data: ZoneData, address = '192.0.2.1', script?: Script) =>
  askBlocklist(lookUps(scriptedResolver(data, script), 10, new AbortController().signal), address, zone);

describe('askBlocklist()', () => {
  it.each(['192.0.2.1', six])('tells whether %s is listed', async (address) => {
    const entry = address === six ? nibbles(six) : '1.2.0.192';
    expect(await ask(answering, address)).toMatchObject({ result: 'good', subject: zone });
    expect(await ask({ ...answering, [`${entry}.${zone}`]: { A: ['127.0.0.10'] } }, address)).toMatchObject({
      result: 'bad',
      evidence: `${address} is listed by bl.example (127.0.0.10)`,
    });
  });

  const listed = { '1.2.0.192.bl.example': { A: ['127.0.0.2'] } };

  it.each<[string, ZoneData]>([
    ['does not list its own test entry', { [zone]: { TXT: ['x'] }, ...listed }],
    ['lists everybody', { ...answering, ...listed, [`1.0.0.127.${zone}`]: { A: ['127.0.0.2'] } }],
    ['refuses our resolver', { ...answering, [`2.0.0.127.${zone}`]: { A: ['127.255.255.254'] }, ...listed }],
    ['refuses this question', { ...answering, [`1.2.0.192.${zone}`]: { A: ['127.255.255.254'] } }],
    ['answers with addresses of somewhere', { ...answering, [`1.2.0.192.${zone}`]: { A: ['198.51.100.1'] } }],
    ['is no more', {}],
  ])('knows nothing from a list that %s', async (_, data) => {
    expect(await ask(data)).toMatchObject({ result: 'unknown' });
  });

  it('knows nothing where DNS does not answer', async () => {
    const failures = { '1.2.0.192.bl.example': 'timeout' } as const;
    expect(await ask(answering, '192.0.2.1', { failures })).toMatchObject({ result: 'unknown' });
  });
});
