import { describe, expect, it } from 'vitest';
import { accepted, bye, hello, results, sendingTo, taken } from '../testing/send-stage.ts';

const site = sendingTo();

describe('send() to who refuses our IPv6 address', () => {
  /** Gmail's words, as S1 has them. */
  const refusal = [
    'S: 550-5.7.1 [2001:db8::1] Gmail has detected that this message',
    'S: 550-5.7.1 does not meet IPv6 sending guidelines regarding PTR records and',
    'S: 550-5.7.1 authentication. For more information, go to',
    'S: 550 5.7.1 https://support.google.com/mail/?p=IPv6AuthError',
  ].join('\n');
  const refuses = `${hello}\n${accepted('b@example.net').replace('S: 250 taken', refusal)}\n${bye}`;
  const [v6, v4] = [(index: number) => `2001:db8::${index}`, (index: number) => `192.0.2.${index}`];

  it('P13: sends the same message at once over IPv4, past the other IPv6 hosts', async () => {
    const addressOf = (index: number) => (index < 2 ? v6(index) : v4(index));
    const takes = [`${hello}\n${accepted('b@example.net')}`];
    const { attempt, peers } = await site([[refuses], [], takes], undefined, addressOf);
    const sent = await attempt(['b@example.net']);
    expect(results(sent)).toEqual(['delivered at mx2.example.net']);
    expect(peers[1]?.connections).toBe(0);
    expect(sent.events.map(({ data }) => 'moved' in data && data.moved)).toEqual([
      '5xx, but our IPv6 address has no reverse name, or is not authorised: to be tried over IPv4',
      false,
    ]);
  });

  it('P13: moves only those that were refused for it', async () => {
    const first = `${hello}
      C: MAIL …
      S: 250 ok
      C: RCPT TO:<b@example.net>
      S: 250 ok
      C: RCPT TO:<c@example.net>
      S: 550 5.7.25 no PTR
      C: RCPT TO:<d@example.net>
      S: 550 5.1.1 unknown
      ${taken}`;
    const second = [`${hello}\n${accepted('c@example.net')}`];
    const { attempt } = await site([[first], second], undefined, (index) => (index === 0 ? v6(0) : v4(1)));
    const sent = await attempt(['b@example.net', 'c@example.net', 'd@example.net']);
    const [b, c, d] = results(sent);
    expect([b, c, d]).toEqual([
      'delivered at mx0.example.net',
      'delivered at mx1.example.net',
      'failed 5.1.1',
    ]);
  });

  it('P13: tries later where IPv4 cannot be reached now', async () => {
    const { attempt } = await site([[refuses], 'refuses'], undefined, (index) =>
      index === 0 ? v6(0) : v4(1),
    );
    expect(results(await attempt(['b@example.net']))).toEqual(['deferred 4.4.1']);
  });

  it('P13: fails, but may heal, where there is no IPv4', async () => {
    const { attempt } = await site([[refuses]], undefined, v6);
    const sent = await attempt(['b@example.net']);
    expect(sent.outcomes.get(0)).toMatchObject({ kind: 'failed', status: '5.7.1', remedy: 'IPv4' });
    expect(sent.events[0]?.data).not.toHaveProperty('moved');
  });

  it('M6: takes it for final when told to be strict', async () => {
    const { attempt, peers } = await site([[refuses], []], undefined, (index) =>
      index === 0 ? v6(0) : v4(1),
    );
    expect(results(await attempt(['b@example.net'], { permanentFailures: 'strict' }))).toEqual([
      'failed 5.7.1',
    ]);
    expect(peers[1]?.connections).toBe(0);
  });

  it.each(['listed at bl.example, no PTR', 'looks like spam'])(
    'never changes the address for what is not about it: %s',
    async (words) => {
      const script = refuses.replace(refusal, `S: 550 5.7.1 IPv6 host ${words}`);
      const { attempt, peers } = await site([[script], []], undefined, (index) =>
        index === 0 ? v6(0) : v4(1),
      );
      expect(results(await attempt(['b@example.net']))).toEqual(['failed 5.7.1']);
      expect(peers[1]?.connections).toBe(0);
    },
  );
});
