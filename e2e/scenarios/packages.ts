/** What is published, as people install it: the npm package as a command and as a library, and the Debian package. */

import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict';
import { access, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { offered } from '../peers/complete.ts';
import { run, runOk } from '../process.ts';
import { scenario } from '../runner.ts';
import { playInBootedSystem } from './booted.ts';
import { npmPlace } from './booted-life.ts';

const root = join(import.meta.dirname, '..', '..');

/** As somebody writes who sends mail from a program of theirs: signs, and checks what was signed. */
const consumer = `
import { generateKeyPairSync } from 'node:crypto';
import { type Address, bodyHasher, checkSender, createSigner, parseAddress, type Resolver, systemClock } from 'posthorn';

const address: Address | undefined = parseAddress('Ann.Lee@Example.COM');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
const signer = createSigner({
  domain: 'example.com',
  selector: 's',
  privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  clock: systemClock,
});
const header = Buffer.from('From: ann@example.com\\r\\nSubject: Hi\\r\\n\\r\\n');
const body = Buffer.from('Hello.\\r\\n');
const hasher = bodyHasher();
hasher.update(body);
const field = await signer.sign({ header, bodyHash: hasher.digest() });
const resolver = {
  resolve: async (name: string) =>
    name === 's._domainkey.example.com'
      ? { status: 'found', records: [[\`v=DKIM1; k=ed25519; p=\${key}\`]], ttl: 60, authentic: false }
      : { status: 'none', reason: 'nxdomain', ttl: 60, authentic: false },
} as unknown as Resolver; // its answers' types depend on what was asked
const message = Buffer.concat([Buffer.from(field), header, body]);
const sender = { clientAddress: '192.0.2.1', helo: 'x.example', reversePath: 'ann@example.com', message };
const { dkim } = await checkSender({ resolver, clock: systemClock }, sender);
console.log(JSON.stringify([address?.domain, dkim[0]?.result, dkim[0]?.domain]));
`;

export const packages = scenario(
  'packages: installed from npm and from Debian',
  async ({ world, step, skip, say }) => {
    let tarball = '';
    await step(
      'built and packed, and unpacked elsewhere, it plays as the checkout does',
      async () => {
        // Our .npmrc has ignore-scripts, which also keeps `npm pack` from building first.
        for (const words of [
          ['run', '--silent', 'build'],
          ['pack', '--silent', '--pack-destination', world.path()],
        ])
          await runOk('npm', words, { cwd: root, timeoutMs: 60_000 });
        const [name = ''] = (await readdir(world.path())).filter((each) => each.endsWith('.tgz'));
        tarball = world.path(name);
        await runOk('tar', ['-xzf', tarball, '-C', world.path()]);
        await symlink(join(root, 'node_modules'), world.path('package', 'node_modules'));
        const program = world.path('package', 'bin', 'posthorn');
        const { stdout } = await runOk(program, ['playground', '--once'], { cwd: world.path() });
        match(stdout.toString(), /dmarc=pass/);
      },
      120_000,
    );

    const project = world.path('project');
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await step(
      'npm installs it in an empty project, and npx runs it',
      async () => {
        await mkdir(project);
        await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }');
        await runOk('npm', ['install', ...quietly, tarball], { cwd: project, timeoutMs: 120_000 });
        const env = { POSTHORN_NODE: process.execPath };
        match(
          (await runOk('npx', ['posthorn', '--version'], { cwd: project, env })).stdout.toString(),
          /^\d+\.\d/,
        );
        match(
          (await runOk('npx', ['posthorn', 'playground', '--once'], { cwd: project, env })).stdout.toString(),
          /dmarc=pass/,
        );
      },
      240_000,
    );

    await step(
      'npm installs it for everybody, with its manual pages',
      async () => {
        const everywhere = ['--prefix', world.path('debs', npmPlace)];
        await runOk('npm', ['install', '-g', ...everywhere, ...quietly, tarball], { timeoutMs: 120_000 });
        const env = { MANPATH: world.path('debs', npmPlace, 'share/man'), MANPAGER: 'cat', LANG: 'C.UTF-8' };
        match((await runOk('man', ['posthorn-account'], { env })).stdout.toString(), /posthorn account add/);
      },
      180_000,
    );

    await step('a program takes parts of it as a library, and TypeScript knows their types', async () => {
      await writeFile(join(project, 'consumer.ts'), consumer);
      const types = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit'];
      const roots = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
      await runOk(join(root, 'node_modules/.bin/tsc'), [...types, ...roots, 'consumer.ts'], {
        cwd: project,
        timeoutMs: 60_000,
      });
      const { stdout } = await runOk(process.execPath, ['--no-warnings', 'consumer.ts'], { cwd: project });
      deepEqual(JSON.parse(stdout.toString()), ['example.com', 'pass', 'example.com']);
    });

    const [isRoot, isInstalled] = [
      process.getuid?.() === 0,
      (await run('dpkg', ['-s', 'posthorn'])).code === 0,
    ];
    if (!isRoot || isInstalled)
      return skip('the Debian package', 'it needs root, and a machine that has none yet');
    await debian(world.path('debs'), step);
    await playInBootedSystem({ step, skip, say }, world.path('debs'));
  },
);

const completions = [
  ['bash', '/usr/share/bash-completion/completions/posthorn'],
  ['zsh', '/usr/share/zsh/vendor-completions/_posthorn'],
  ['fish', '/usr/share/fish/vendor_completions.d/posthorn.fish'],
] as const;

type Step = (title: string, play: () => Promise<void>, timeoutMs?: number) => Promise<void>;

async function debian(directory: string, step: Step): Promise<void> {
  await step(
    'dpkg installs the Debian package: program, unit, user, manual',
    async () => {
      await runOk('npm', ['run', '--silent', 'package', '--', '--fast', '--to', directory], {
        cwd: root,
        timeoutMs: 240_000,
      });
      const debs = (await readdir(directory)).filter((name) => name.startsWith('posthorn_'));
      await runOk('dpkg', ['-i', ...debs.map((name) => join(directory, name))], { timeoutMs: 120_000 });
      match((await runOk('/usr/bin/posthorn', ['--version'])).stdout.toString(), /^\d+\.\d/);
      match((await runOk('id', ['posthorn'])).stdout.toString(), /\(posthorn\)/);
      const page = await runOk('man', ['posthorn-account'], { env: { MANPAGER: 'cat', LANG: 'C.UTF-8' } });
      match(page.stdout.toString(), /posthorn account add/);
    },
    420_000,
  );

  await step('bash, zsh and fish complete its commands, its options and what they take', async () => {
    for (const [shell, file] of completions) {
      const offers = (...words: string[]) => offered(shell, file, ['posthorn', ...words]);
      match(await offers('account', 'a'), /^add\b/m);
      doesNotMatch(await offers('account', 'a'), /^(FILES|doctor)/m);
      match(await offers('account', 'add', 'bob@example.com', '--'), /^--generate\b/m);
      match(await offers('queue', 'list', '--state', ''), /^under-way\b/m);
      match(await offers('completion', ''), /^fish\b/m);
    }
  });

  await step('the unit lets it do what it must, and little else: an exposure of 2.0 at most', async () => {
    const unit = '/usr/lib/systemd/system/posthorn.service';
    const { stdout } = await runOk('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
    const [, level = '10'] = /exposure level for posthorn\.service: ([\d.]+)/.exec(stdout.toString()) ?? [];
    ok(Number(level) <= 2, `${level}`);
    equal((await run('systemd-analyze', ['verify', unit])).output.includes('posthorn.service:'), false);
  });

  await step("purged, it leaves what is the administrator's", async () => {
    await writeFile('/etc/posthorn/own-file', 'mine');
    await runOk('dpkg', ['--purge', 'posthorn'], { timeoutMs: 60_000 });
    await access('/etc/posthorn/own-file');
    await runOk('rm', ['-r', '/etc/posthorn']);
    await runOk('deluser', ['--quiet', '--system', 'posthorn']);
    await rejects(run('/usr/bin/posthorn', ['--version']), /ENOENT/);
  });
}
