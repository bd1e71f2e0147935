import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reverseName } from '../dns/reverse.ts';
import type { ZoneData } from '../dns/zone-data.ts';
import { reply } from '../smtp/reply.ts';
import { runCommand } from '../testing/command-line.ts';
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts';
import { freePort } from '../testing/free-ports.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { startWorld, type World } from '../testing/world.ts';
import { loopbackAddresses } from '../testing/world-places.ts';

const sender = 'sender@example.com';
const [four, six] = ['127.0.0.1', '::1'];
const hourMs = 3600_000;
const withoutPtr: ZoneData = { [reverseName(six)]: {} };
const withPtr: ZoneData = { [reverseName(six)]: { PTR: ['mx.example.com'] } };

let clock: FakeClock;
let world: World<'example.com'>;
let port: number;
/** A receiver as Gmail is one: over IPv6, only who has a reverse name. */
let overSix: Receiver;
let overFour: Receiver;

const describeWithIpv6 = describe.skipIf(!loopbackAddresses().includes(six));

beforeEach(async () => {
  clock = fakeClock();
  port = await freePort([four, six]);
  const refusal = reply(
    550,
    '5.7.1',
    'This message does not meet IPv6 sending guidelines regarding PTR records',
  );
  overSix = await startReceiver({ address: six, port, answers: { mail: refusal } });
  overFour = await startReceiver({ address: four, port });
  world = await openWorld({ enabled: true });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await overSix[Symbol.asyncDispose]();
  await overFour[Symbol.asyncDispose]();
});

/** Ours, which sends from an IPv6 address without a reverse name, and from an IPv4 address. */
function openWorld({ enabled }: { enabled: boolean }): Promise<World<'example.com'>> {
  return startWorld({
    clock,
    servers: {
      'example.com': {
        accounts: { [sender]: 'secret' },
        settings: {
          delivery: { port, permanentFailures: 'strict' },
          source: [{ address: six }, { address: four }],
          guard: { enabled, blocklists: [] },
        },
      },
    },
    dns: {
      'example.net': { MX: [[10, 'mx.example.net']] },
      'mx.example.net': { A: [four], AAAA: [six] },
      'six.example.net': { MX: [[10, 'only6.example.net']] },
      'only6.example.net': { AAAA: [six] },
      ...withoutPtr,
    },
  });
}

const look = () => world.servers['example.com'].withAdmin((admin) => admin.lookAtSources());

/** Three looks at our addresses, an hour apart. */
async function threeLooks() {
  await look();
  for (let hour = 0; hour < 2; hour++) {
    clock.advance(hourMs);
    await look();
  }
}

async function send(to: string) {
  const server = world.servers['example.com'];
  const { queueId = '' } = await server.submit({ from: sender, to });
  const [recipient] = await server.settled(queueId);
  const tried = (await server.trace(queueId)).flatMap((event) =>
    event.event === 'attempted' ? [event.data] : [],
  );
  return { state: recipient?.state, tried };
}

describeWithIpv6('the guard', () => {
  test('P13: IPv6 without PTR never costs a bounce: from the first look on, IPv4 goes first', async () => {
    await look();
    const { state, tried } = await send('ann@example.net');
    expect(state).toBe('delivered');
    expect(tried).toMatchObject([
      {
        endpoint: { address: four, source: four },
        sourceRule: expect.stringMatching(/^IPv6 comes last: .*PTR/),
      },
    ]);
    expect(overSix.connections).toBe(0);
  });

  test('P13: after three looks IPv6 is passed over, and the dossier names the reason', async () => {
    await threeLooks();
    const { state, tried } = await send('ann@example.net');
    expect(state).toBe('delivered');
    expect(tried).toMatchObject([
      { endpoint: { address: four }, sourceRule: expect.stringMatching(/^IPv6 is passed over: .*PTR/) },
    ]);
    await overFour[Symbol.asyncDispose]();
    expect(await send('bob@example.net')).toMatchObject({ state: 'deferred' });
    expect(overSix.connections).toBe(0);
  });

  test('who can be reached over IPv6 only is spoken to from the best there is', async () => {
    await threeLooks();
    const { tried } = await send('ann@six.example.net');
    expect(tried).toMatchObject([
      { endpoint: { address: six }, sourceRule: expect.stringContaining('no address of ours qualifies') },
    ]);
  });

  test('a restart forgets nothing, and a record that is mended counts at once', async () => {
    await threeLooks();
    await world.servers['example.com'].restart();
    expect((await send('ann@example.net')).tried).toMatchObject([{ endpoint: { address: four } }]);
    world.dns.change(withPtr);
    await look();
    overSix.answers.mail = undefined;
    clock.advance(10_000); // no connection is left over
    expect(await send('bob@example.net')).toMatchObject({ tried: [{ endpoint: { address: six } }] });
  });
});

/** `posthorn doctor` on the world's server. */
function doctor(...options: string[]) {
  const { file } = world.servers['example.com'].config;
  return runCommand(['doctor', '--config', file, ...options], { cwd: '/' });
}

describeWithIpv6('posthorn doctor', () => {
  test('P12: names what is wrong, with the exact record to enter', async () => {
    const { exitCode, out } = await doctor();
    expect(exitCode).toBe(1);
    expect(out).toMatch(
      /\nSource addresses\n {2}::1, called mx\.example\.com: mail is sent from here, but from others first\n/,
    );
    expect(out).toContain('error    reverse name: ::1 has no PTR record [ptr-missing-ipv6]\n');
    expect(out).toContain(`To be entered:\n${reverseName(six)}. PTR mx.example.com.\n`);
    expect(out).toContain('good     SPF example.com: SPF: example.com permits ::1 by mx\n');
  });

  test('tells of a disqualified address, and of all being well, in JSON too', async () => {
    await threeLooks();
    expect((await doctor()).out).toContain('disqualified: not used while another address qualifies');
    world.dns.change(withPtr);
    const { out } = await doctor('--json');
    const { sections } = JSON.parse(out);
    expect(sections[0]).toMatchObject({
      section: 'source addresses',
      examined: [{ findings: [{ severity: 'good' }, { severity: 'good' }, {}, {}] }, {}],
    });
  });

  test('a guard that is off tells what it finds, and changes nothing', async () => {
    await world[Symbol.asyncDispose]();
    world = await openWorld({ enabled: false });
    await threeLooks();
    const { exitCode, out } = await doctor();
    expect(exitCode).toBe(1);
    expect(out).toContain('mail is sent from here whatever is found: the guard is off');
    overSix.answers.mail = undefined;
    expect(await send('ann@example.net')).toMatchObject({ tried: [{ endpoint: { address: six } }] });
  });

  test('works without a server, and leaves no store behind', async () => {
    await world.servers['example.com'].stop();
    const { exitCode, out } = await doctor();
    expect(exitCode).toBe(1);
    expect(out).toContain('error    reverse name: ::1 has no PTR record [ptr-missing-ipv6]\n');
    await world.dns.close();
    const { exitCode: unknown, out: told } = await doctor();
    expect(unknown).toBe(75);
    expect(told).toContain('is not known now');
  });
});
