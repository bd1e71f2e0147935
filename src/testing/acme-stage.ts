/**
 * A keeper of certificates with a scripted authority, a clock of its own and a data directory, for tests; what is asked,
 * shown and logged is remembered.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Authority } from '../acme/authority.ts';
import { Challenges } from '../acme/challenges.ts';
import type { TlsaShown } from '../acme/dns-proof.ts';
import { AcmeKeeper } from '../acme/keeper.ts';
import { httpResponder, type Responder } from '../acme/responders.ts';
import { Vault } from '../acme/vault.ts';
import type { WantedCertificate } from '../config/wanted-certificates.ts';
import { Certificates } from '../net/tls-context.ts';
import { type AuthorityMood, testAcmeAuthority } from './acme-authority.ts';
import { fakeClock } from './fake-clock.ts';
import { recordingLog } from './recording-log.ts';

const mx: WantedCertificate = { id: 'mx.example.com', names: ['mx.example.com'], isOptional: false };

export interface AcmeStageOptions {
  mood?: AuthorityMood;
  wanted?: WantedCertificate[];
  dane?: boolean;
  firstKey?: string;
  /** What stands in eabKeyFile, or why it cannot be read. */
  binding?: { eabKeyId: string; key: string | Error };
}

export async function acmeStage({
  mood = {},
  wanted = [mx],
  dane = false,
  firstKey,
  binding,
}: AcmeStageOptions = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'posthorn-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const clock = fakeClock();
  const ca = testAcmeAuthority(clock, mood);
  const { log, lines } = recordingLog();
  const dns = { tlsa: { keys: [], somewhere: [], ttl: 0 } as TlsaShown, ours: ['*'] };
  const settings = {
    ...({ enabled: true, directory: 'https://ca.example/dir', challenge: 'http-01', hook: [] } as const),
    ...({ keyType: 'ecdsa', termsAgreed: true, dane, contact: 'ops@example.com' } as const),
    ...(binding && { eabKeyId: binding.eabKeyId }),
  };
  const externalKey = async () => {
    if (binding?.key instanceof Error) throw binding.key;
    return binding?.key;
  };
  /** What the authority is shown, and what of it was taken away again. */
  const shown = { all: 0, gone: 0 };
  const watched = ({ type, present }: Responder): Responder => ({
    type,
    async present(proof) {
      const remove = await present(proof);
      shown.all += 1;
      return async () => {
        await remove();
        shown.gone += 1;
      };
    },
  });
  const certificates = new Certificates('mx.example.com');
  const ending = new AbortController();
  const begin = () => {
    const { signal } = ending;
    const vault = new Vault(dataDir);
    const responder = () => watched(httpResponder(new Challenges()));
    const { https } = ca;
    const common = { settings, vault, clock, log, signal };
    const authority = new Authority({ ...common, https, externalKey, responder });
    return new AcmeKeeper({
      ...{ ...common, authority, certificates, wanted, hostname: 'mx.example.com' },
      namesThatAreOurs: async (names) =>
        names.filter((name) => dns.ours.includes('*') || dns.ours.includes(name)),
      proofs: { tlsaOf: async () => dns.tlsa },
      firstKey: async () => firstKey,
      random: () => 0.5,
    });
  };
  let keeper = begin();
  onTestFinished(async () => {
    ending.abort();
    await keeper.stop();
  });
  /** Lets time pass, and whatever falls due be done. */
  const pass = async (ms = 0) => {
    clock.advance(ms);
    await keeper.idle();
  };
  const start = async () => {
    keeper.start();
    await keeper.idle();
    await pass(0);
  };
  const restart = async () => {
    await keeper.stop();
    keeper = begin();
    await start();
  };
  const own = async () => (await keeper.status()).certificates[0];
  return {
    ...{ shown, dataDir, clock, ca, lines, dns, certificates, pass, start, restart, own },
    get keeper() {
      return keeper;
    },
  };
}
