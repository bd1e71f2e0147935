import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setupMachine } from '../testing/setup-machine.ts';
import { type Places, placesFor } from './places.ts';
import { installService } from './service.ts';
import { demandRoot, ensureUser } from './system-user.ts';
import { serviceUnit, socketUnit } from './units.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-units-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const unit = {
  program: '/opt/posthorn/bin/posthorn',
  configFile: '/etc/posthorn/posthorn.toml',
  dataDir: '/var/lib/posthorn',
};
const linesOf = (more: Partial<typeof unit> = {}) => serviceUnit({ ...unit, ...more }).text.split('\n');

describe('serviceUnit()', () => {
  it('runs as a user of its own that may listen on low ports', () => {
    expect(linesOf()).toEqual(
      expect.arrayContaining([
        'User=posthorn',
        'ExecStart=/opt/posthorn/bin/posthorn serve --config /etc/posthorn/posthorn.toml',
        'AmbientCapabilities=CAP_NET_BIND_SERVICE',
        'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
        'NoNewPrivileges=yes',
        'ProtectSystem=strict',
        'ProtectHome=yes',
      ]),
    );
  });

  it('leaves to whoever gets into it as little as systemd can take away', () => {
    const hardening = linesOf().filter((line) =>
      /^(Protect|Private|Restrict|SystemCall|NoNew|Lock|RemoveIPC|Keyring|ProcSubset|UMask|Capab|Ambient)/.test(
        line,
      ),
    );
    expect(hardening).toEqual([
      'UMask=0077',
      'AmbientCapabilities=CAP_NET_BIND_SERVICE',
      'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'ProtectProc=invisible',
      'ProcSubset=pid',
      ...['Tmp', 'Devices', 'Mounts'].map((what) => `Private${what}=yes`),
      ...['Hostname', 'Clock', 'KernelTunables', 'KernelModules', 'KernelLogs', 'ControlGroups'].map(
        (what) => `Protect${what}=yes`,
      ),
      'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
      ...['Namespaces', 'Realtime', 'SUIDSGID'].map((what) => `Restrict${what}=yes`),
      'LockPersonality=yes',
      'RemoveIPC=yes',
      'KeyringMode=private',
      'SystemCallArchitectures=native',
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@privileged @resources',
      'SystemCallErrorNumber=EPERM',
    ]);
  });

  it('sees a home where the program lies in one, and may write where the data lies', () => {
    const lines = linesOf({ program: '/home/anna/posthorn/bin/posthorn', dataDir: '/srv/mail' });
    expect(lines).toContain('ProtectHome=read-only');
    expect(lines).toContain('ReadWritePaths=/srv/mail');
  });

  it('names the Node that it is to run by, where that is not its own', () => {
    expect(serviceUnit(unit).text).not.toContain('POSTHORN_NODE');
    const { text } = serviceUnit({ ...unit, node: '/opt/node 24/bin/node' });
    expect(text).toContain('\nEnvironment="POSTHORN_NODE=/opt/node 24/bin/node"\n');
    expect(serviceUnit({ ...unit, node: '/home/anna/node' }).text).toContain('ProtectHome=read-only');
  });

  it('quotes what systemd would read otherwise', () => {
    expect(linesOf({ program: '/opt/100% mine/bin/posthorn' })).toContain(
      'ExecStart="/opt/100%% mine/bin/posthorn" serve --config /etc/posthorn/posthorn.toml',
    );
  });
});

it('serviceUnit() has a server that hangs or fails started anew, but not one that cannot read its data', () => {
  expect(linesOf()).toEqual(
    expect.arrayContaining(['Restart=on-failure', 'RestartPreventExitStatus=65', 'WatchdogSec=120']),
  );
});

it('serviceUnit() names no socket unit where there is none', () => {
  expect(linesOf().filter((line) => line.includes('posthorn.socket'))).toHaveLength(2);
  expect(serviceUnit({ ...unit, opensItsSockets: true }).text).not.toContain('posthorn.socket');
});

it('socketUnit() listens where the configuration does', () => {
  const { text } = socketUnit([
    { address: '::', port: 25 },
    { address: '192.0.2.1', port: 465 },
  ]);
  expect(text.split('\n').filter((line) => line.startsWith('ListenStream'))).toEqual([
    'ListenStream=[::]:25',
    'ListenStream=192.0.2.1:465',
  ]);
  // [::] is for IPv4, too, whatever the machine's default is.
  expect(text).toMatch(/^BindIPv6Only=both$/m);
  expect(text).toMatch(/^Service=posthorn\.service$/m);
});

describe('installService()', () => {
  const units = [{ name: 'posthorn.service', text: '[Unit]\n' }];
  const places = (): Places => ({
    ...placesFor(),
    systemd: join(directory, 'systemd'),
    units: join(directory, 'units'),
  });
  const install = async (more: Partial<Parameters<typeof installService>[0]> = {}) => {
    const machine = setupMachine({ programs: () => ({ code: 0, output: '' }), more: { hasSystemd: true } });
    const outcome = await installService({
      ...machine,
      places: places(),
      units,
      isWanted: true,
      canStart: true,
      owner: undefined,
      ...more,
    });
    return { ...outcome, commands: machine.commands };
  };

  it('installs, enables and starts it where systemd runs', async () => {
    const first = await install();
    expect(first).toMatchObject({ state: 'done', value: undefined });
    expect(first.commands).toEqual([
      'systemctl daemon-reload',
      'systemctl enable --now posthorn.socket posthorn.service',
    ]);
    const again = await install();
    expect(again).toMatchObject({
      state: 'kept',
      commands: ['systemctl enable --now posthorn.socket posthorn.service'],
    });
  });

  it('does not start what cannot have its ports', async () => {
    const { commands, value } = await install({ canStart: false });
    expect(commands).toEqual([
      'systemctl daemon-reload',
      'systemctl enable posthorn.socket posthorn.service',
    ]);
    expect(value).toBe('systemctl start posthorn');
  });

  it.each([
    ['systemd does not run', { hasSystemd: false }],
    ['it is not wanted', { isWanted: false }],
  ])('writes units down and says what to do where %s', async (_, more) => {
    const { commands, details, state } = await install(more);
    expect([commands, state]).toEqual([[], 'skipped']);
    expect(readFileSync(join(directory, 'units/posthorn.service'), 'utf8')).toBe('[Unit]\n');
    expect(details?.join('\n')).toContain('systemctl enable --now posthorn.socket');
    expect(readdirSync(directory)).toEqual(['units']);
  });

  it('by hand is started as its user, with the right to listen on low ports', async () => {
    const owner = { uid: 990, gid: 990 };
    const outcome = await install({ owner, hasSystemd: false, program: '/usr/bin/posthorn' });
    const words = ['--reuid=posthorn', '--regid=posthorn', '--ambient-caps=-all,+net_bind_service'];
    for (const word of words) expect(outcome.value?.split(' ')).toContain(word);
    expect(outcome.value).toMatch(/ \/usr\/bin\/posthorn serve$/);
  });

  it('installs no service that could not come to its program', async () => {
    mkdirSync(join(directory, 'posthorn/bin'), { recursive: true });
    const program = join(directory, 'posthorn/bin/posthorn');
    const { commands, ...outcome } = await install({ owner: { uid: 990, gid: 990 }, program });
    expect(commands).toEqual([]);
    expect(outcome).toMatchObject({
      state: 'failed',
      remedy: expect.stringContaining('/opt/posthorn/bin/posthorn'),
    });
  });

  it('says what systemctl says', async () => {
    const { run } = setupMachine({ programs: () => ({ code: 1, output: 'Unit is masked.\n' }) });
    expect(await install({ run })).toMatchObject({
      state: 'failed',
      what: expect.stringContaining('Unit is masked.'),
    });
  });
});

describe('ensureUser()', () => {
  it('makes a system user without a login, once', async () => {
    let isThere = false;
    const machine = setupMachine({
      more: { userId: 0 },
      programs: (command) => {
        if (command.startsWith('useradd')) isThere = true;
        return command.startsWith('id') && !isThere
          ? { code: 1, output: 'no such user' }
          : { code: 0, output: '990\n' };
      },
    });
    expect(await ensureUser(machine, placesFor())).toMatchObject({
      state: 'done',
      value: { uid: 990, gid: 990 },
    });
    expect(machine.commands.filter((command) => command.startsWith('useradd'))).toEqual([
      'useradd --system --user-group --home-dir /var/lib/posthorn --no-create-home --shell /usr/sbin/nologin posthorn',
    ]);
    expect((await ensureUser(machine, placesFor())).state).toBe('kept');
  });

  it('needs root, but not in a directory of its own', async () => {
    await expect(demandRoot(setupMachine(), placesFor())).rejects.toThrow('only root');
    await demandRoot(setupMachine(), placesFor('/srv/mine'));
    await demandRoot(setupMachine({ more: { userId: 0 } }), placesFor());
    expect((await ensureUser(setupMachine(), placesFor('/srv/mine'))).state).toBe('skipped');
  });

  it('needs none where the configuration is of the user that the server runs as: in a container', async () => {
    const programs = () => ({ code: 0, output: '10025\n' });
    const places = { ...placesFor(directory), isApart: false };
    mkdirSync(join(directory, 'etc/posthorn'), { recursive: true });
    const machine = setupMachine({ programs, more: { userId: 10025 } });
    await demandRoot(machine, places);
    expect(await ensureUser(machine, places)).toMatchObject({ state: 'kept', value: undefined });
    await expect(demandRoot({ ...machine, userId: 1000 }, places)).rejects.toThrow('only root');
    await expect(demandRoot(machine, { ...places, config: '/none/posthorn.toml' })).rejects.toThrow(
      'only root',
    );
  });
});
