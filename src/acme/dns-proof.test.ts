import { describe, expect, it } from 'vitest';
import type { Resolver } from '../dns/resolver.ts';
import { zone } from '../dns/zone.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { directAsker } from '../net/dns-direct.ts';
import { serveZone } from '../net/dns-server.ts';
import { impatientClock } from '../testing/fake-clock.ts';
import { systemClock } from '../util/clock.ts';
import { dnsProofs } from './dns-proof.ts';

const { signal } = new AbortController();
const [first, second] = ['aa'.repeat(32), 'bb'.repeat(32)];
const base: ZoneData = {
  'example.com': { NS: ['ns.example.com'] },
  'ns.example.com': { A: ['127.0.0.1'] },
  'alias.example.com': { CNAME: 'challenges.example.net' },
  'example.net': { NS: ['ns.example.com'] },
};

/** One server on loopback is resolver and authority in one. */
async function withProofs<T>(records: ZoneData, use: (proofs: ReturnType<typeof dnsProofs>) => Promise<T>) {
  const server = await serveZone(zone({ ...base, ...records }));
  const place = { address: '127.0.0.1', port: server.port };
  const resolver: Resolver = {
    // Only the address of the name server is asked for.
    resolve: async (_: string, type: string) =>
      (type === 'A'
        ? { status: 'found', records: ['127.0.0.1'], ttl: 60, authentic: false }
        : { status: 'none', reason: 'nodata', ttl: 60, authentic: false }) as never,
  };
  const ask = directAsker({ clock: systemClock });
  let elapsed = 0;
  const { clock } = impatientClock();
  const parts = { ask, resolver, recursors: [place], port: server.port };
  const proofs = dnsProofs(parts, { ...clock, now: () => (elapsed += 60_000) });
  try {
    return await use(proofs);
  } finally {
    await server.close();
  }
}

describe('dnsProofs()', () => {
  it('finds a text on the servers of its zone, also by an alias', async () => {
    const records = {
      '_acme-challenge.mx.example.com': { TXT: ['abc'] },
      'challenges.example.net': { TXT: ['def'] },
    };
    await withProofs(records, async ({ shownInDns }) => {
      expect(await shownInDns('_acme-challenge.mx.example.com', 'abc', signal)).toBeUndefined();
      expect(await shownInDns('alias.example.com', 'def', signal)).toBeUndefined();
    });
  });

  it('says after some minutes which server does not show it', async () => {
    await withProofs({}, async ({ shownInDns }) => {
      expect(await shownInDns('_acme-challenge.mx.example.com', 'abc', signal)).toBe(
        'ns.example.com does not show it',
      );
    });
  });

  it('tells the keys of TLSA records, and how long they live', async () => {
    const name = '_25._tcp.mx.example.com';
    const records: ZoneData = {
      [name]: {
        TLSA: [
          [3, 1, 1, first],
          [3, 1, 1, second],
          [2, 0, 1, second],
        ],
      },
    };
    await withProofs(records, async ({ tlsaOf }) => {
      const shown = await tlsaOf('mx.example.com', signal);
      expect(shown).toMatchObject({ keys: expect.arrayContaining([first, second]), ttl: expect.any(Number) });
      expect(await tlsaOf('other.example.com', signal)).toEqual({ keys: [], somewhere: [], ttl: 0 });
    });
  });

  it('does not take a zone without servers for one without records', async () => {
    await withProofs({}, async ({ tlsaOf }) => {
      expect(await tlsaOf('mx.example.invalid', signal)).toEqual({
        error: expect.stringContaining('DNS names no servers for the zone of'),
      });
    });
  });
});
