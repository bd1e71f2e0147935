/** The DKIM cases of others and mox's vectors (testdata/dkim), each case one test; what is skipped says why. */

import { describe, expect, it } from 'vitest';
import { fieldValue, findFields, parseHeader } from '../mail/header.ts';
import { loadSuite, textResolver } from '../testing/suite-resolver.ts';
import { systemClock } from '../util/clock.ts';
import { checkSender } from './check.ts';
import { readDkimSignature } from './dkim-verify.ts';
import { readKeyRecord } from './key-record.ts';
import { readTags } from './tag-list.ts';

/** When mail-auth/005 was signed, for a day. */
const clock = { ...systemClock, now: () => Date.UTC(2022, 10, 8) };

async function verify(message: Buffer, zone: Record<string, string>) {
  const sender = { clientAddress: '192.0.2.1', helo: 'client.example', reversePath: '' };
  return (await checkSender({ resolver: textResolver(zone), clock }, { ...sender, message })).dkim;
}

interface DkimCase {
  id: string;
  message_b64: string;
  zone: Record<string, string>;
  want: 'pass' | 'notpass';
  sha1: boolean;
}

/** Signed by drafts that had no v= tag yet; RFC 6376 §3.5 requires it and §6.1.1 ignores signatures without it. */
const withoutVersion = ['mine_ietf01_3', 'mine_ietf01_4', 'good_ietf01_1', 'multiple_1'];
const isDraft = (id: string): boolean => withoutVersion.some((name) => id === `Mail-DKIM/${name}.txt`);

it.each(loadSuite<DkimCase[]>('dkim/cases.json'))(
  'suite dkim: $id',
  async ({ id, message_b64, zone, want, sha1 }) => {
    const dkim = await verify(Buffer.from(message_b64, 'base64'), zone);
    const passes = dkim.some(({ result }) => result === 'pass');
    // RFC 8301 §3.1: what sha1 signs is not signed.
    expect(passes, JSON.stringify(dkim)).toBe(want === 'pass' && !sha1 && !isDraft(id));
  },
);

const letter = `From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`;

/** Appendix A.2, with its key of appendix C; the body has one space less than that of RFC 8463. */
const rfc6376 = {
  message: `DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
        4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
        KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
        4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
${letter.replace('game.  ', 'game. ')}`,
  zone: {
    'brisbane._domainkey.example.com':
      'v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5i' +
      'jSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB',
  },
};

/** Appendix A.3, with the keys of A.2: two signatures over one message. */
const rfc8463 = {
  message: `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
${letter}`,
  zone: {
    'brisbane._domainkey.football.example.com':
      'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    'test._domainkey.football.example.com':
      'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byY' +
      'zCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB',
  },
};

describe('vectors of the standards', () => {
  it.each([
    ['RFC 6376 appendix A', rfc6376, ['rsa-sha256']],
    ['RFC 8463 appendix A', rfc8463, ['ed25519-sha256', 'rsa-sha256']],
  ])('suite dkim: %s', async (_, { message, zone }, algorithms) => {
    const octets = Buffer.from(message.replace(/\n/g, '\r\n'));
    const dkim = await verify(octets, zone);
    expect(dkim.map(({ result, algorithm }) => [result, algorithm])).toEqual(
      algorithms.map((algorithm) => ['pass', algorithm]),
    );
    const changed = await verify(Buffer.from(String(octets).replace('hungry', 'thirsty')), zone);
    expect(new Set(changed.map(({ result }) => result))).toEqual(new Set(['fail']));
  });
});

interface Vectors {
  signatures: { field: string; good: boolean; skip?: string }[];
  keys: { record: string; good: boolean; skip?: string }[];
}

const { signatures, keys } = loadSuite<Vectors>('dkim/mox.json');

for (const { field, good, skip } of signatures)
  it.skipIf(skip)(
    `suite dkim: mox: ${JSON.stringify(field)} is ${good ? 'good' : 'bad'}${because(skip)}`,
    () => {
      const [found] = findFields(parseHeader(Buffer.from(field)).fields, 'dkim-signature');
      const { tags } = readTags(found ? fieldValue(found) : '');
      const signature = tags && readDkimSignature(tags, 0);
      expect(signature !== undefined && !('problem' in signature)).toBe(good);
    },
  );

for (const { record, good, skip } of keys)
  it.skipIf(skip)(
    `suite dkim: mox: ${JSON.stringify(record)} is ${good ? 'good' : 'bad'}${because(skip)}`,
    () => {
      expect(readKeyRecord(record).status === 'usable').toBe(good);
    },
  );

function because(skip: string | undefined): string {
  return skip === undefined ? '' : `, skipped: ${skip}`;
}
