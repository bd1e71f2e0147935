/** The doctor against a server, a machine and policies in which one thing is wrong; and the command as people call it. */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { controlPath } from '../admin/open-admin.ts';
import { askServer, serverSection } from '../cli/doctor-server.ts';
import { run } from '../cli/run.ts';
import { parseConfig } from '../config/load.ts';
import type { DoctorParts } from '../doctor/examining.ts';
import { type CommandResult, runCommand } from '../testing/command-line.ts';
import { type DoctorStage, domain, hostname, startDoctorStage } from '../testing/doctor-stage.ts';
import { eventually } from '../testing/eventually.ts';
import { type Clock, systemClock } from '../util/clock.ts';

let stage: DoctorStage;
const open = async (settings = {}) => {
  stage = await startDoctorStage(settings);
};
afterEach(() => stage[Symbol.asyncDispose]());

const ids = async (changes?: Partial<DoctorParts>): Promise<(string | undefined)[]> => [
  ...new Set((await stage.look(changes)).map(({ id }) => id)),
];

describe('P12: a running server', () => {
  beforeEach(() => open());

  test('P12: where nobody answers, is found closed; and the way out is tried apart', async () => {
    await stage.server.stop();
    expect(await ids()).toEqual(
      expect.arrayContaining(['door-closed', 'port25-blocked', 'mta-sts-no-policy']),
    );
  });

  /** What is found where a mail server answers so, to each line; after `end` it says no more. */
  const foundOf = async (greeting: string, answers: Record<string, string>, end = '') => {
    const other = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${greeting}\r\n`);
      socket.on('data', (line) => {
        const verb = String(line).slice(0, 4);
        socket.write(answers[verb] ?? `250 ${hostname}\r\n`);
        if (verb === end) socket.destroySoon();
      });
    });
    other.listen(0, '127.0.0.51');
    await once(other, 'listening');
    const address = other.address();
    const mail = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const { names, https } = { names: stage.dns.port, https: stage.server.config.delivery.httpsPort };
    try {
      return await ids({ ports: { names, mail, https } });
    } finally {
      other.close();
    }
  };

  test('P12: that says nothing to commands is named as one that hangs, and the rest is looked at all the same', async () => {
    const { config } = stage.server;
    await stage.server.stop();
    const deaf = createServer((socket) => socket.resume()).listen(controlPath(config));
    await once(deaf, 'listening');
    const told = await askServer(config, systemClock, { silenceMs: 50 });
    deaf.close();
    expect(told).toMatchObject({ accounts: [] });
    expect(told.sources[0]).toMatchObject({ ehloName: hostname });
    const found = serverSection(told)?.examined[0]?.findings;
    expect(found).toEqual([expect.objectContaining({ id: 'server-silent', severity: 'error' })]);
    expect(found?.[0]?.evidence).toContain('has said nothing');
    const { silence: _, ...sound } = told;
    expect(serverSection(sound)).toBeUndefined();
  });

  test('P12: a certificate on disk that is half written: found, and all else is looked at', async () => {
    await writeFile(join(stage.directory, 'server.pem'), 'half a certif');
    const found = await stage.look({ facts: await factsOf() });
    expect(found).toMatchObject([
      {
        id: 'certificate-unusable',
        severity: 'error',
        evidence: expect.stringMatching(
          /server\.pem cannot be used with .*server\.key \(the certificate is no PEM/,
        ),
      },
    ]);
    const { exitCode, out } = await runCommand(['doctor', ...stage.options], { cwd: stage.directory });
    expect(exitCode).toBe(1);
    expect(out).toContain('certificate-unusable');
  });

  test('P12: another server at its address is known by its greeting', async () => {
    expect(await foundOf('220 other.example ESMTP', {})).toContain('door-other-server');
  });

  test('P12: STARTTLS that is not offered, or fails, and a server that sends us away', async () => {
    const greeting = `220 ${hostname} ESMTP`;
    expect(await foundOf(greeting, {})).toContain('door-no-starttls');
    const broken = { EHLO: `250-${hostname}\r\n250 STARTTLS\r\n`, STAR: '220 Go on\r\nno handshake\r\n' };
    expect(await foundOf(greeting, broken, 'STAR')).toContain('door-tls-fails');
    expect(await foundOf('421 4.7.0 Come another day', {})).toContain('door-refuses');
  });

  test('P12: a configuration without a certificate', async () => {
    const { tls: _, ...config } = stage.server.config;
    expect(await ids({ config, chain: [] })).toEqual(['certificate-absent']);
    const acme = (await parseConfig('hostname = "a.example"\n[acme]\nenabled = false', '/posthorn.toml'))
      .acme;
    expect(await ids({ config: { ...config, ...(acme && { acme }) }, chain: [] })).toEqual([]);
  });

  test('P12: a certificate that was renewed on disk, and is not shown yet', async () => {
    const renewed = stage.authority.issue([hostname, `mta-sts.${domain}`]);
    await stage.writeCertificate(renewed);
    const found = await ids();
    expect(found).toContain('certificate-old-served');
  });

  test('P12: a clock that is an hour off', async () => {
    stage.timeServer.aheadMs = 3_600_000;
    expect(await ids()).toEqual(['clock-off']);
    stage.timeServer.aheadMs = -30_000;
    expect(await ids()).toEqual(['clock-drifts']);
  });

  test('P12: port 25 that is blocked, and nobody to try', async () => {
    const dial: DoctorParts['dial'] = async () => {
      const { ConversationError } = await import('../smtp/conversation.ts');
      throw new ConversationError('connect', 'no connection within 5 s');
    };
    expect(await ids({ dial })).toEqual(expect.arrayContaining(['port25-blocked', 'door-closed']));
    expect(await ids({ reach: ['nowhere.example'] })).toEqual(['port25-unknown']);
    expect(await ids({ reach: [] })).toEqual([]);
  });

  test('P12: CAA records that forbid our authority', async () => {
    const model = stage.model();
    model.zone[domain] = { ...model.zone[domain], CAA: [[0, 'issue', 'other-ca.example']] };
    stage.dns.play(model);
    expect(await ids()).toEqual([]); // nothing is known of who issues our certificates
    const facts = { ...(await factsOf()), acme: { issuers: ['our-ca.example'], methods: [] } };
    expect(await ids({ facts })).toContain('caa-forbids');
    // Our own name has a record of its own, and so its alias; another has not.
    model.zone[hostname] = { ...model.zone[hostname], CAA: [[0, 'issue', 'our-ca.example']] };
    stage.dns.play(model);
    const asks = async (name: string, isOptional: boolean) =>
      ids({ facts: { ...facts, acme: { ...facts.acme, certificates: [{ name, isOptional }] } } });
    expect(await asks(hostname, false)).toEqual([]);
    expect(await asks(`mta-sts.${domain}`, true)).toEqual([]);
    expect(await asks(`mail.${domain}`, false)).toEqual(['caa-forbids']);
    expect(await asks(`mail.${domain}`, true)).toEqual([]); // not in DNS: it is not asked for
  });

  test('P12: a resolver that does not answer: nothing is known, and nothing is alleged', async () => {
    const found = await stage.look({ resolvers: [{ address: '127.0.0.45', port: stage.dns.port }] });
    const told = new Set(found.map(({ id }) => id));
    expect(told).toContain('resolver-silent');
    expect([...told].filter((id) => id?.endsWith('-missing') && id !== 'srv-missing')).toEqual([]);
  });

  test('P12: the whole ends in time, whatever does not', async () => {
    const started = performance.now();
    const signal = AbortSignal.timeout(300);
    const found = await stage.look({ signal, sources: () => new Promise(() => {}) });
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(['not-looked-at']));
  });

  const factsOf = async () => {
    const { readFacts } = await import('../records/facts.ts');
    return { ...(await readFacts(stage.server.config, { now: Date.now() })), addresses: ['127.0.0.51'] };
  };
});

describe('P12: a configuration that can be read, and is dangerous', () => {
  test('P12: relays for strangers, and names whom it trusts', async () => {
    await open({ relay: { trustedNetworks: ['127.0.0.0/8', '128.0.0.0/2'] } });
    const found = await stage.look({ mayRelay: () => false });
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining(['relay-open', 'relay-trusts-all']));
    expect(await ids()).toEqual(expect.arrayContaining(['relay-untested', 'relay-trusts-all']));
  });

  test('P12: an MTA-STS policy that does not allow our host', async () => {
    await open({
      domain: [
        {
          name: domain,
          dkim: { selector: 'posthorn', key: 'dkim.pem' },
          mtaSts: { mode: 'enforce', mx: ['old.example'] },
        },
      ],
    });
    expect(await ids()).toEqual(['mta-sts-mx-differs']);
  });

  test('P12: an MTA-STS policy that is only tested, and a domain without a DKIM key', async () => {
    await open({ domain: [{ name: domain }] });
    expect((await ids()).toSorted()).toEqual(['dkim-no-key', 'mta-sts-not-enforced']);
  });
});

describe('P12: posthorn doctor', () => {
  const doctor = (...options: string[]): Promise<CommandResult> =>
    runCommand(['doctor', ...stage.options, ...options], { cwd: stage.directory });
  beforeEach(() => open());

  test('P12: ends with 0 where all is right, and says so', async () => {
    const { exitCode, out, err } = await doctor();
    expect({ exitCode, err }, out).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(/^All is well\.\n\nSource addresses\n/);
    expect(out).toContain('  example.com: all is well\n');
    expect(out).toContain('    good     DMARC: "v=DMARC1;');
  });

  test('P12: ends with 1 where something is wrong, with the record to enter', async () => {
    const model = stage.model();
    const name = `posthorn._domainkey.${domain}`;
    const [text = ''] = model.zone[name]?.TXT ?? [];
    model.zone[name] = { TXT: [text.slice(0, 80) + text.slice(84)] };
    stage.dns.play(model);
    const { exitCode, out } = await doctor();
    expect(exitCode).toBe(1);
    expect(out).toMatch(/ {4}error {4}DKIM posthorn: the DKIM record misses 4 characters after "/);
    expect(out).toMatch(/^One thing to look at: 1 error\. What matters most/);
    expect(out).toMatch(/\[dkim-mistyped\]\n {9}Copy it once more/);
    expect(out).toMatch(/To be entered:\nposthorn\._domainkey\.example\.com\. +3600 +IN +TXT +"v=DKIM1/);
    const { sections, status, counts } = JSON.parse((await doctor('--json')).out);
    expect({ status, counts }).toEqual({ status: 'unwell', counts: { errors: 1, warnings: 0, notes: 0 } });
    expect(sections).toBeInstanceOf(Array);
  });

  test('P12: counts warnings only where it is told to be strict', async () => {
    const model = stage.model();
    delete model.zone[`_smtp._tls.${domain}`];
    stage.dns.play(model);
    expect((await doctor()).exitCode).toBe(0);
    expect((await doctor('--strict')).exitCode).toBe(1);
  });

  test('P12: takes only what makes sense as an option', async () => {
    expect(await doctor('--resolver', 'dns.example')).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('no address'),
    });
    expect((await doctor('--name-port', '0')).exitCode).toBe(64);
    expect((await doctor('--watch', 'often')).exitCode).toBe(64);
  });

  test('P12: watches: tells what appears and what is over, and ends when it is told to', async () => {
    const stop = new AbortController();
    let out = '';
    let lookAgain = () => {};
    const clock: Clock = {
      ...systemClock,
      after(delayMs, action) {
        if (delayMs !== 180_000) return systemClock.after(delayMs, action);
        lookAgain = action;
        return () => {};
      },
    };
    const write = (text: string) => {
      out += text;
    };
    const terminal = {
      env: {},
      cwd: stage.directory,
      outIsTty: false,
      inIsTty: false,
      out: write,
      err: write,
      readInput: async () => Buffer.alloc(0),
      askSecret: async () => '',
      stopSignal: () => stop.signal,
      onSignal: () => () => {},
    };
    const told = async (count: number) =>
      eventually(async () => (out.split('\n').length > count ? out : undefined), { explain: () => out });
    const spoiled = stage.model();
    delete spoiled.zone[`_dmarc.${domain}`];
    stage.dns.play(spoiled);
    const ended = run(['doctor', ...stage.options, '--watch', '3m', '--json'], { terminal, clock });
    await told(1);
    stage.dns.play(stage.model());
    lookAgain();
    await told(2);
    stop.abort();
    expect(await ended).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { change: 'appeared', finding: { id: 'dmarc-missing', name: domain, section: 'domains' } },
      { change: 'disappeared', finding: { id: 'dmarc-missing' } },
    ]);
  });
});
