import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Admin } from '../admin/admin.ts';
import { AdminError } from '../admin/admin-error.ts';
import { startControlServer } from '../admin/control-server.ts';
import { controlPath, openAdmin } from '../admin/open-admin.ts';
import { loadConfig } from '../config/load.ts';
import { type MachineScript, setupMachine } from '../testing/setup-machine.ts';
import { systemClock } from '../util/clock.ts';
import { createLog } from '../util/log.ts';
import { placesFor } from './places.ts';
import { quickstart, stepNames, type Wanted } from './quickstart.ts';
import type { StepReport } from './step.ts';

let prefix: string;
beforeEach(() => {
  prefix = mkdtempSync(join(tmpdir(), 'posthorn-quickstart-'));
});
afterEach(() => rmSync(prefix, { recursive: true }));

const configFile = () => placesFor(prefix).config;

type More = Partial<Omit<Wanted, 'account'>> & { account?: string | undefined };

async function setUp(more: More = {}, script?: MachineScript) {
  const begun: string[] = [];
  const ended: StepReport[] = [];
  const { account = 'account' in more ? undefined : 'alice@example.com', ...wanted } = more;
  const result = await quickstart(
    {
      domain: 'example.com',
      ...(account !== undefined && { account }),
      addresses: [],
      places: placesFor(prefix),
      installs: true,
      usesAcme: true,
      ...wanted,
    },
    setupMachine(script),
    { begins: (step) => begun.push(step), ends: (report) => ended.push(report) },
  );
  return { result, begun, ended, step: (name: string) => ended.find(({ step }) => step === name) };
}

/** Every file below the prefix but what the store keeps. */
function filesBelow(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = names.filter(
    (name) => !name.includes('lib/posthorn/store') && statSync(join(directory, name)).isFile(),
  );
  return new Map(files.sort().map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

describe('quickstart()', () => {
  it('tells every step as it begins and as it ends, and makes a server that can start', async () => {
    const { result, begun, ended } = await setUp();
    expect(begun).toEqual(stepNames);
    expect(ended.map(({ step }) => step)).toEqual(stepNames);
    const config = await loadConfig(configFile());
    expect(config).toMatchObject({
      sendmail: { enabled: true },
      hostname: 'mx.example.com',
      dataDir: join(prefix, 'var/lib/posthorn'),
      domains: [{ name: 'example.com' }],
    });
    expect(config.listeners.map(({ protocol }) => protocol)).toEqual([
      'smtp',
      'submissions',
      'submission',
      'pop3s',
      'https',
      'http',
    ]);
    expect(config.domains[0]?.dkim?.map(({ selector }) => selector.replace(/\d+$/, ''))).toEqual([
      'rsa',
      'ed',
    ]);
    const keys = config.domains[0]?.dkim?.map(({ key }) => createPrivateKey(readFileSync(key)));
    expect(
      keys?.map(({ asymmetricKeyType: type, asymmetricKeyDetails: details }) => [type, details]),
    ).toEqual([
      ['rsa', expect.objectContaining({ modulusLength: 2048 })],
      ['ed25519', expect.anything()],
    ]);
    expect(result.start).toBe(`posthorn serve --config ${configFile()}`);
    expect(result.records.filter(({ purpose }) => purpose === 'dkim')).toHaveLength(2);
    expect(result.records.find(({ type }) => type === 'A')?.data).toBe('203.0.113.7');
  });

  it('keeps secrets from others', async () => {
    await setUp();
    const modes = ['etc/posthorn/dkim', 'var/lib/posthorn'].map(
      (path) => statSync(join(prefix, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700]);
    for (const name of readdirSync(join(prefix, 'etc/posthorn/dkim')))
      expect(statSync(join(prefix, 'etc/posthorn/dkim', name)).mode & 0o777).toBe(0o600);
  });

  it('makes an account whose password it shows once', async () => {
    const first = await setUp();
    const { address, password = '' } = first.result.account;
    expect(address).toBe('alice@example.com');
    expect(first.step('account')?.what).toContain('postmaster@example.com and abuse@example.com');
    expect(password).toMatch(/^[\w-]{20}$/);
    expect(JSON.stringify(first.ended)).not.toContain(password);

    const again = await setUp();
    expect(again.result.account).toEqual({ address });
    expect(again.step('account')?.state).toBe('kept');
    const admin = await openAdmin(await loadConfig(configFile()), systemClock);
    expect((await admin.listAccounts()).map((account) => account.address)).toEqual([address]);
    await admin.close();
  });

  it('changes nothing when it runs again, and says so', async () => {
    const first = await setUp();
    const before = filesBelow(prefix);
    const again = await setUp();
    expect(filesBelow(prefix)).toEqual(before);
    expect(again.result.records).toEqual(first.result.records);
    expect(again.ended.filter(({ state }) => state === 'done')).toEqual([]);
  });

  it('makes what is missing again, and never another of what is there', async () => {
    const { result } = await setUp();
    const keys = join(prefix, 'etc/posthorn/dkim');
    const [lost = '', other = ''] = readdirSync(keys);
    const kept = readFileSync(join(keys, other), 'utf8');
    rmSync(join(keys, lost));
    rmSync(join(prefix, 'etc/posthorn/systemd'), { recursive: true });
    rmSync(join(prefix, 'var/lib/posthorn/tls'), { recursive: true });
    const again = await setUp();
    expect(readFileSync(join(keys, other), 'utf8')).toBe(kept);
    expect(again.step('DKIM keys')).toMatchObject({
      state: 'warning',
      remedy: expect.stringContaining('DNS records'),
    });
    const changed = again.result.records.filter(
      ({ data }) => !result.records.some((record) => record.data === data),
    );
    expect(changed.map(({ purpose }) => purpose).sort()).toEqual(['dane', 'dkim']);
  });

  it('leaves a configuration that somebody has edited as it is', async () => {
    await setUp();
    const edited = readFileSync(configFile(), 'utf8')
      .replace('hostname = "mx.example.com"', 'hostname = "post.example.com" # mine')
      .replace('[tls]', '[limits]\nrecipients = 5\n[tls]');
    writeFileSync(configFile(), edited);
    const { result } = await setUp({ hostname: 'other.example.com' });
    expect(readFileSync(configFile(), 'utf8')).toBe(edited);
    expect(result.hostname).toBe('post.example.com');
    expect(result.records[0]?.name).toBe('post.example.com');
  });

  it('adds another domain at the end of the file, and keeps every line before', async () => {
    await setUp();
    const before = readFileSync(configFile(), 'utf8');
    const { result } = await setUp({ domain: 'example.org', account: 'bob@example.org' });
    const after = readFileSync(configFile(), 'utf8');
    expect(after.startsWith(before)).toBe(true);
    const config = await loadConfig(configFile());
    expect(config.domains.map(({ name }) => name)).toEqual(['example.com', 'example.org']);
    expect(result).toMatchObject({ hostname: 'mx.example.com', account: { address: 'bob@example.org' } });
    expect(result.records.find(({ type }) => type === 'MX')).toMatchObject({
      name: 'example.org',
      data: '10 mx.example.com.',
    });
  });

  it('has a running server read of another domain before that gets an account', async () => {
    await setUp();
    const config = await loadConfig(configFile());
    const admin = await openAdmin(config, systemClock);
    const orders: string[] = [];
    const running: Admin = {
      ...admin,
      reload: async () => {
        orders.push('reload');
        return { file: configFile(), changed: ['domain'] };
      },
      addAccount: async ({ address }) => void orders.push(`addAccount ${address}`),
    };
    const path = controlPath(config);
    const parts = { path, admin: () => running, maxContentBytes: () => 0, log: createLog('silent') };
    const control = await startControlServer(parts);
    await setUp({ domain: 'example.org', account: 'bob@example.org' });
    expect(orders).toEqual(['reload', 'addAccount bob@example.org']);
    running.reload = async () => {
      throw new AdminError('config', 'its port is taken');
    };
    await expect(setUp({ domain: 'example.net' })).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringContaining('its port is taken'),
      remedy: expect.stringContaining('posthorn reload'),
    });
    await control.stop();
    await admin.close();
  });

  it('goes no further than a configuration that is wrong, and touches nothing', async () => {
    await setUp();
    writeFileSync(configFile(), 'hostnam = "mx.example.com"\n');
    const before = filesBelow(prefix);
    await expect(setUp()).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringContaining('hostname'),
    });
    expect(filesBelow(prefix)).toEqual(before);
  });

  it('writes down the ports of mail also while somebody has them: when he is gone, mail comes in', async () => {
    const { step, result } = await setUp({}, { ports: { 25: 'taken' } });
    expect(step('ports')).toMatchObject({ state: 'failed', what: 'taken: 25' });
    expect(result.steps).toContainEqual(step('ports'));
    expect((await setUp()).step('ports')).toMatchObject({
      state: 'good',
      what: '25, 465, 587, 995, 443, 80: free',
    });
    const config = await loadConfig(configFile());
    expect(config.listeners.map(({ port }) => port)).toEqual([25, 465, 587, 995, 443, 80]);
  });

  it('misses a listener for mail in a configuration that has none', async () => {
    await setUp();
    const text = readFileSync(configFile(), 'utf8');
    writeFileSync(configFile(), text.replace(/\[\[listener\]\]\nprotocol = "smtp" .*\n/, ''));
    expect((await setUp()).step('ports')).toMatchObject({
      state: 'failed',
      remedy: expect.stringContaining('protocol = "smtp"'),
    });
  });

  it('asks for certificates by the port that is open, by none where none is, and not against your will', async () => {
    const acmeOf = async (more: Partial<Wanted>, script?: MachineScript) => {
      rmSync(join(prefix, 'etc'), { recursive: true, force: true });
      const { step } = await setUp(more, script);
      return { acme: (await loadConfig(configFile())).acme, state: step('certificate')?.state };
    };
    expect(await acmeOf({})).toMatchObject({
      acme: { challenge: 'http-01', enabled: true, contact: 'postmaster@example.com' },
      state: 'done',
    });
    expect((await acmeOf({}, { ports: { 80: 'taken' } })).acme?.challenge).toBe('tls-alpn-01');
    expect(await acmeOf({}, { ports: { 80: 'taken', 443: 'taken' } })).toMatchObject({
      acme: { enabled: false },
      state: 'warning',
    });
    expect((await acmeOf({ usesAcme: false })).acme).toBeUndefined();
  });

  it('goes on with files of certificates that cannot be used, and says what to do', async () => {
    await setUp();
    const data = join(prefix, 'var/lib/posthorn');
    mkdirSync(join(data, 'acme'));
    writeFileSync(join(data, 'acme/mx.example.com.pem'), 'half a cert');
    writeFileSync(join(data, 'acme/account.json'), '{"key":');
    const { result, ended, step } = await setUp();
    expect(ended.map(({ step }) => step)).toEqual(stepNames);
    expect(step('certificate')).toMatchObject({
      state: 'warning',
      what: expect.stringMatching(/mx\.example\.com\.pem cannot be used .*account\.json is damaged/),
      remedy: expect.stringMatching(/posthorn tls renew mx\.example\.com --force.*\n.*backup/),
    });
    expect(result.unusable.map(({ role }) => role)).toEqual(['issued', 'account']);
    const purposes = new Set(result.records.map(({ purpose }) => purpose));
    expect([...purposes]).toEqual(expect.arrayContaining(['mx', 'spf', 'dkim', 'dmarc']));
    expect(readFileSync(join(data, 'acme/account.json'), 'utf8')).toBe('{"key":');
  });

  it('makes a certificate of its own anew where that cannot be used', async () => {
    await setUp();
    const file = join(prefix, 'var/lib/posthorn/tls/self-signed.pem');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 300));
    const { result, step } = await setUp();
    expect(step('certificate')).toMatchObject({ state: 'warning', remedy: expect.stringContaining('TLSA') });
    expect(result.unusable).toEqual([]);
    expect(result.records.filter(({ purpose }) => purpose === 'dane')).toHaveLength(1);
  });

  it('fails for a certificate of the configuration that no server starts with, and does all the rest', async () => {
    await setUp();
    const text = readFileSync(configFile(), 'utf8');
    const pair = '[tls]\ncert = "server.pem"\nkey = "server.key"\n';
    writeFileSync(configFile(), text.replace(/^\[tls\]$/m, '').replace(/^(?=\[)/m, pair));
    const { ended, step } = await setUp();
    expect(step('certificate')).toMatchObject({
      state: 'failed',
      what: expect.stringContaining('server.pem cannot be used'),
      remedy: expect.stringContaining('A server does not start with it'),
    });
    expect(ended.map(({ step }) => step)).toEqual(stepNames);
  });

  it('leaves the web to a server that is there already, and starts all the same', async () => {
    const { step, result } = await setUp({}, { ports: { 80: 'taken', 443: 'taken' } });
    expect(step('ports')).toMatchObject({
      state: 'warning',
      remedy: expect.stringContaining('proxied = true'),
    });
    expect((await loadConfig(configFile())).listeners.map(({ port }) => port)).toEqual([25, 465, 587, 995]);
    expect(readFileSync(configFile(), 'utf8')).toContain('# [[listener]]\n# protocol = "https"');
    expect(result.records.find(({ purpose }) => purpose === 'mta-sts')?.notYet).toBeDefined();
  });

  it('behind NAT names both addresses in the configuration', async () => {
    const script = { addresses: [], inside: ['10.0.0.5'] };
    const { result } = await setUp({ addresses: ['198.51.100.9'] }, script);
    expect((await loadConfig(configFile())).sources).toEqual([
      { address: '10.0.0.5', publicAddress: '198.51.100.9', senders: [] },
    ]);
    expect(result.records.filter(({ type }) => type === 'A').map(({ data }) => data)).toEqual([
      '198.51.100.9',
    ]);
    expect((await setUp({}, script)).result.addresses).toEqual(['198.51.100.9']);
  });

  it('makes no second account where nobody asks for one, and postmaster@ where there is none', async () => {
    await setUp();
    const { step, result } = await setUp({ account: undefined });
    expect(step('account')?.state).toBe('kept');
    expect(result.account).toEqual({ address: 'alice@example.com' });
    const { address } = (await setUp({ domain: 'example.org', account: undefined })).result.account;
    expect(address).toBe('postmaster@example.org');
  });

  it('begins nothing outside of a directory of its own without root', async () => {
    const begun = setUp({ places: placesFor() });
    await expect(begun).rejects.toMatchObject({ step: 'user', remedy: expect.stringContaining('sudo') });
  });
});
