/**
 * P11: OpenDKIM, dkimpy and pyspf, which share no line of code with us, find the same as we do: of what we sign and seal, of what
 * they do, and of both when something has changed on the way.
 */

import { deepEqual, equal, ok } from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { sealMessage } from '../../src/authentication/arc-seal.ts';
import { bodyHasher } from '../../src/authentication/body-hash.ts';
import { checkSender } from '../../src/authentication/check.ts';
import { dkimRecord, generateDkimKey } from '../../src/authentication/dkim-key.ts';
import { createSigner } from '../../src/authentication/dkim-sign.ts';
import { lookUps } from '../../src/authentication/look-ups.ts';
import { signMessage } from '../../src/authentication/sign-message.ts';
import { checkSpf } from '../../src/authentication/spf.ts';
import { findHeaderEnd } from '../../src/mail/header.ts';
import { scriptedResolver } from '../../src/testing/scripted-resolver.ts';
import { systemClock } from '../../src/util/clock.ts';
import { awkwardBody, letter } from '../letters.ts';
import { startNetwork } from '../peers/network.ts';
import { askPython, isTrueForOpenDkim, signByOpenDkim } from '../peers/verifiers.ts';
import { scenario } from '../runner.ts';
import { spfQuestions, spfZone } from './authentication-spf.ts';

const domain = 'example.com';
const hostname = 'mx.example.com';

/** A key of each kind, in the forms that the programs want. */
async function makeKeys() {
  const rsa = await generateDkimKey('rsa');
  const ed25519 = await generateDkimKey('ed25519');
  const seed = createPrivateKey(ed25519).export({ format: 'jwk' }).d ?? '';
  const pkcs1 = createPrivateKey(rsa).export({ type: 'pkcs1', format: 'pem' }).toString();
  return {
    zone: {
      [`rsa._domainkey.${domain}`]: { TXT: [dkimRecord(rsa).value] },
      [`ed._domainkey.${domain}`]: { TXT: [dkimRecord(ed25519).value] },
    },
    signers: [
      createSigner({ domain, selector: 'rsa', privateKeyPem: rsa, clock: systemClock }),
      createSigner({ domain, selector: 'ed', privateKeyPem: ed25519, clock: systemClock }),
    ] as const,
    foreign: {
      rsa: { selector: 'rsa', key: pkcs1, algorithm: 'rsa-sha256' },
      ed25519: {
        selector: 'ed',
        key: Buffer.from(seed, 'base64url').toString('base64'),
        algorithm: 'ed25519-sha256',
      },
    } as const,
    pkcs1,
  };
}

type Keys = Awaited<ReturnType<typeof makeKeys>>;

/** Messages in which something usually gets lost. */
function corpus(): Buffer[] {
  const from = `alice@${domain}`;
  const plain = letter({ from, to: 'bob@example.net', id: 'plain' });
  const withFields = (fields: string) =>
    Buffer.from(plain.toString('latin1').replace('Subject: plain\r\n', fields), 'latin1');
  return [
    plain,
    letter({ from, to: 'bob@example.net', id: 'empty', body: '' }),
    letter({ from, to: 'bob@example.net', id: 'lines', body: '\r\n\r\n\r\n' }),
    letter({ from, to: 'bob@example.net', id: 'awkward', body: awkwardBody }),
    letter({ from, to: 'bob@example.net', id: 'blanks', body: ' a \t b  \r\n\t\r\n c\t\r\n\r\n' }),
    withFields(`Subject: ${'long '.repeat(15)}\r\n  folded\t twice\r\n\t ${'x'.repeat(300)}\r\n`),
    withFields('subject:   case  and   blanks  \r\nReferences: <1@example.com>\r\n\t<2@example.com>\r\n'),
    withFields('Subject: Gr\xc3\xbc\xc3\x9fe \xe4\r\n'),
    withFields('Subject:\r\nReceived: from a by b; 1 Jan 2026 00:00:00 +0000\r\nReceived: from c by d\r\n'),
    withFields(
      Array.from({ length: 100 }, (_, number) => `X-Field-${number}: ${'y'.repeat(80)}\r\n`).join(''),
    ),
  ];
}

/** What may happen on the way; some of it breaks a signature, some only one of simple canonicalization. */
const changes: readonly ((message: string) => string)[] = [
  (message) => message,
  (message) => `${message}more\r\n`,
  (message) => `${message}\r\n\r\n`,
  (message) => message.replace('\r\n\r\n', '\r\n\r\nx'),
  (message) => message.replace(/\r\n\r\n(.)/s, '\r\n\r\n$1 '),
  (message) => message.replace(/^Subject:/im, 'SUBJECT:  '),
  (message) => message.replace(/^To: /m, 'To: \r\n\t'),
  (message) => message.replace(/^To: /m, 'To: x'),
  (message) => message.replace(/\bb=(.)/, (_, first: string) => `b=${first === 'A' ? 'B' : 'A'}`),
  (message) => message.replace(/\bbh=(.)/, (_, first: string) => `bh=${first === 'A' ? 'B' : 'A'}`),
  (message) => `From: <forged@${domain}>\r\n${message}`,
  (message) => message.replace(/\r\n\r\n[\s\S]*$/, `\r\nFrom: <forged@${domain}>$&`),
  (message) => message.replace(/\bd=example\.com/, 'd=example.net'),
  (message) => message.replace(/\ba=[a-z0-9-]+/, 'a=rsa-sha1'),
];

const changed = (message: Buffer): Buffer[] =>
  changes.map((change) => Buffer.from(change(message.toString('latin1')), 'latin1'));

async function ourVerdicts(zone: Keys['zone'], message: Buffer) {
  return checkSender(
    { resolver: scriptedResolver(zone), clock: systemClock },
    { clientAddress: '192.0.2.1', helo: 'client.example', reversePath: '', message },
  );
}

async function ourSignatures({ zone }: Keys, messages: readonly Buffer[]): Promise<boolean[][]> {
  const verdicts = await Promise.all(messages.map((message) => ourVerdicts(zone, message)));
  return verdicts.map(({ dkim }) => dkim.map(({ result }) => result === 'pass'));
}

/** Every message of the corpus signed by both keys of ours, and by dkimpy in every way that it knows. */
async function signedCorpus({ zone, signers, foreign }: Keys): Promise<{ ours: Buffer[]; theirs: Buffer[] }> {
  const messages = corpus();
  const sign = (message: Buffer) => async (signer: Keys['signers'][number]) =>
    Buffer.concat([Buffer.from(await signMessage(signer, message)), message]);
  const ours = await Promise.all(messages.flatMap((message) => signers.map(sign(message))));
  const ways = ['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'].flatMap(
    (canonicalization) => [
      { ...foreign.rsa, canonicalization },
      { ...foreign.rsa, canonicalization, length: true },
      { ...foreign.ed25519, canonicalization },
    ],
  );
  const wanted = messages.flatMap((message) => ways.map((way) => ({ ...way, message, domain })));
  return { ours, theirs: (await askPython({ zone, sign: wanted })).signed };
}

export const authentication = scenario(
  'authentication: OpenDKIM, dkimpy and pyspf find what we find',
  async ({ world, step, skip }) => {
    const keys = await makeKeys();
    const { zone } = keys;
    const { ours, theirs } = await signedCorpus(keys);

    await step('P11: dkimpy finds our signatures true, RSA and Ed25519, and so do we', async () => {
      const { signatures } = await askPython({ zone, verify: ours });
      deepEqual(
        signatures,
        ours.map(() => [true]),
      );
      deepEqual(await ourSignatures(keys, ours), signatures);
    });

    await step(
      `P11: we find its ${theirs.length} signatures true, in all canonicalizations, with l= and without`,
      async () => {
        deepEqual(
          await ourSignatures(keys, theirs),
          theirs.map(() => [true]),
        );
      },
    );

    await step('P11: of signed messages that changed on the way, dkimpy and we say the same', async () => {
      const all = [...ours, ...theirs].flatMap(changed);
      const { signatures } = await askPython({ zone, verify: all });
      const mine = await ourSignatures(keys, all);
      const differences = all.flatMap((message, index) =>
        String(mine[index]) === String(signatures[index])
          ? []
          : [
              `ours ${mine[index]}, theirs ${signatures[index]}:\n${message.toString('latin1').slice(0, 1500)}`,
            ],
      );
      equal(differences.length, 0, `${differences.length} of ${all.length}: ${differences[0]}`);
      ok(signatures.flat().filter((each) => !each).length > 500, 'too few are broken');
    });

    const network = await startNetwork(world, ['192.0.2.1'], zone);
    if (network === undefined) skip('P11: opendkim-testmsg agrees', 'namespaces are not permitted here');
    else
      await step(
        'P11: opendkim-testmsg finds our signatures true, and agrees on what has changed',
        async () => {
          const some = [...ours.slice(0, 12), ...theirs.slice(0, 12)];
          const all = [...some, ...some.slice(0, 4).flatMap(changed), ...some.slice(12, 16).flatMap(changed)];
          const mine = (await ourSignatures(keys, all)).map(([only]) => only);
          const their: boolean[] = [];
          for (const message of all) their.push(await isTrueForOpenDkim(network.inside, message));
          const index = mine.findIndex((each, at) => each !== their[at]);
          equal(index, -1, `ours ${mine[index]}, theirs ${their[index]}:\n${all[index]?.toString('latin1')}`);
        },
      );

    await step('P11: what opendkim-testmsg signs, by SHA-1, proves nothing (RFC 8301)', async () => {
      const keyFile = world.path('rsa.pem');
      await writeFile(keyFile, keys.pkcs1);
      for (const message of corpus().slice(0, 3)) {
        const signed = await signByOpenDkim({ message, domain, selector: 'rsa', keyFile });
        const { dkim } = await ourVerdicts(zone, signed);
        deepEqual(
          dkim.map(({ result, algorithm }) => [result, algorithm]),
          [['policy', 'rsa-sha1']],
        );
      }
    });

    await step('P11: dkimpy and we say the same of chains that either of us has sealed', async () => {
      const chains = await sealedChains(keys);
      const all = chains.flatMap((chain) => [chain, ...changed(chain).slice(1, 11)]);
      const { chains: their } = await askPython({ zone, verifyChains: all });
      const mine = await Promise.all(all.map(async (each) => (await ourVerdicts(zone, each)).arc?.result));
      const index = mine.findIndex((each, at) => each !== their[at]);
      equal(index, -1, `ours ${mine[index]}, theirs ${their[index]}:\n${all[index]?.toString('latin1')}`);
      deepEqual(
        their.filter((_, at) => at % 11 === 0),
        chains.map(() => 'pass'),
      );
    });

    await step(`P11: pyspf and we say the same of ${spfQuestions.length} questions about SPF`, async () => {
      const { spf } = await askPython({ zone: spfZone, spf: spfQuestions });
      const dns = () => lookUps(scriptedResolver(spfZone), 200, new AbortController().signal);
      const mine = await Promise.all(
        spfQuestions.map(({ address, sender, helo }) =>
          checkSpf(dns(), { clientAddress: address, helo, reversePath: sender }),
        ),
      );
      const told = (results: readonly string[]) =>
        spfQuestions.map(({ address, sender }, at) => `${sender} from ${address}: ${results[at]}`);
      deepEqual(told(mine.map(({ result }) => result)), told(spf));
      ok(new Set(spf).size >= 6, 'too few kinds of results');
    });
  },
);

/** Chains of one to three sets, ours and dkimpy's in turn. */
async function sealedChains({ zone, signers, foreign }: Keys): Promise<Buffer[]> {
  const [message = Buffer.of()] = corpus();
  const results = Buffer.from(
    `Authentication-Results: ${hostname}; arc=none; spf=pass smtp.mailfrom=example.com\r\n`,
  );
  const seal = async (sealed: Buffer) => {
    const header = sealed.subarray(0, findHeaderEnd(sealed));
    const hasher = bodyHasher();
    hasher.update(sealed.subarray(header.length));
    const parts = { signer: signers[0], hostname, clock: systemClock };
    const verdicts = await ourVerdicts(zone, sealed);
    const set = await sealMessage(parts, { header, bodyHash: hasher.digest(), verdicts });
    return Buffer.concat([Buffer.from(set ?? ''), sealed]);
  };
  const sealByOther = async (sealed: Buffer) => {
    const told = Buffer.concat([resultsFor(results, sealed), sealed]);
    const wanted = { ...foreign.rsa, message: told, domain, server: hostname };
    return (await askPython({ zone, seal: [wanted] })).sealed[0] ?? Buffer.of();
  };
  const once = await seal(message);
  const twice = await seal(once);
  const other = await sealByOther(message);
  return [once, twice, await seal(twice), other, await seal(other), await sealByOther(once)];
}

/** dkimpy takes the result of the chain from there. */
const resultsFor = (results: Buffer, message: Buffer): Buffer =>
  message.includes('ARC-Seal:') ? Buffer.from(String(results).replace('arc=none', 'arc=pass')) : results;
