/** Once it runs: the Debian package is upgraded under load, refuses to go back, a server that hangs is started anew, and the package goes. */

import { equal, match, ok } from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { edit, type Layouts, laterVersion, makeLater } from '../later-version.ts';
import { node, type Said, shared, sources } from '../peers/booted.ts';
import { nothingLost } from '../peers/stream.ts';
import { runOk } from '../process.ts';
import type { Stage } from '../runner.ts';

const address = 'alice@example.com';
const mailbox = `/var/lib/posthorn/accounts/${address}/Maildir`;
const later = 'later.deb';
/** Where npm has installed it, below what is shared. */
export const npmPlace = 'npm';

/** A package of a later version, whose store is another, in `directory` beside the one that is there. */
export async function packLater(directory: string, deb: string): Promise<Layouts> {
  const place = join(directory, 'later');
  await runOk('dpkg-deb', ['-R', deb, place]);
  const layouts = await makeLater(join(place, 'usr/lib/posthorn'), 'dist');
  await edit(join(place, 'DEBIAN/control'), (text) =>
    text.replace(/^Version: .*$/m, `Version: ${laterVersion}`),
  );
  await edit(join(place, 'DEBIAN/preinst'), (text) =>
    text.replace(`-gt ${layouts.before} `, `-gt ${layouts.after} `),
  );
  await runOk('dpkg-deb', ['-Znone', '--build', place, join(directory, later)]);
  await rm(place, { recursive: true });
  return layouts;
}

/** In a system in which the server runs, with what booted.ts has defined. */
export const lifeScript = `
doctor() { posthorn doctor --json | ${node} -e 'let all = ""; process.stdin.on("data", (each) => { all += each; }).on("end", () => console.log([...all.matchAll(/"id": *"([^"]*)"/g)].map(([, id]) => id).sort().join(",")))'; }
installed_version() { dpkg-query -W -f '\${Version}' posthorn; }
arrived() { [ "$(ls ${mailbox}/new | wc -l)" -ge "$(grep -o '"stream-' ${shared}/stream | wc -l)" ]; }
say 'configuration before' "$(sha256sum < /etc/posthorn/posthorn.toml)"
say 'doctor before' "$(doctor)"
pid=$(show posthorn.service MainPID)
${node} ${sources}/e2e/peers/stream-program.ts 25 sender@example.org ${address} > ${shared}/stream & stream=$!
sleep 1; dpkg -i ${shared}/${later} > ${shared}/upgrade 2>&1; say upgrade $?; sleep 1
kill -TERM $stream; wait $stream
is_new && say 'new process' yes
say 'store is of' "$(paste -sd, /var/lib/posthorn/store/written-by)"
say 'configuration after' "$(sha256sum < /etc/posthorn/posthorn.toml)"
say 'doctor after' "$(doctor)"
say healthz "$(curl -sk https://203.0.113.7/healthz)"
posthorn account list --json > ${shared}/accounts
within 100 arrived; cp -r ${mailbox} ${shared}/Maildir
pid=$(show posthorn.service MainPID)
dpkg -i ${shared}/posthorn_*.deb > ${shared}/downgrade 2>&1; say downgrade $?
say 'version after the downgrade' "$(installed_version)"
is_new || say 'same process' yes
# The one that has taken over is watched as the one before.
mkdir /etc/systemd/system/posthorn.service.d; printf '[Service]\\nWatchdogSec=5\\nRestartSec=0\\n' > /etc/systemd/system/posthorn.service.d/watch.conf
systemctl daemon-reload; systemctl restart posthorn; timeout 60 posthorn handover >/dev/null; say handover $?
pid=$(show posthorn.service MainPID); sleep 5.5; is_new || say 'left in peace' yes
kill -STOP $pid; within 100 is_new; is_new && say 'started anew' yes
posthorn queue list >/dev/null; say 'answers again' $?
say 'ended by the watchdog' "$(journalctl -u posthorn -o cat --no-pager | grep -c 'Watchdog timeout')"
`;

/** After that. In the end it comes again, from npm, by a Node that no service would find by itself. */
export const endScript = `
mkdir -p /opt/node/bin; cp ${node} /opt/node/bin/
systemctl stop posthorn.socket posthorn.service
cd /var/lib/posthorn && mv store store.newer && mv before-upgrade/schema-* store; cd /
dpkg -i ${shared}/posthorn_*.deb > ${shared}/back 2>&1; say back $?
systemctl start posthorn.socket posthorn.service; say 'start of the earlier one' $?
say 'its version' "$(installed_version)"
posthorn account list --json > ${shared}/accounts-back
dpkg -r posthorn >/dev/null; say remove $?
say 'still listening' "$(ss -ltnpH | grep -c ':25 ')"
say 'failed units' "$(systemctl --failed --no-legend | grep -c posthorn)"
[ -d ${mailbox} ] && [ -f /etc/posthorn/posthorn.toml ] && say 'kept when removed' yes
echo '<purge>'; dpkg -P posthorn; echo '</purge>'
say 'units after the purge' "$(find /etc/systemd/system -name 'posthorn.*' ! -name '*.d' | paste -sd,)"
[ -d ${mailbox} ] && [ -f /etc/posthorn/posthorn.toml ] && say 'kept when purged' yes
export PATH=/opt/node/bin:$PATH
echo '<npm>'; ${shared}/${npmPlace}/bin/posthorn quickstart example.com; echo '</npm>'
say 'of npm' "$(show posthorn.service ActiveState)"
say 'program of npm' "$(tr '\\0' ' ' < /proc/$(show posthorn.service MainPID)/cmdline)"
${shared}/${npmPlace}/bin/posthorn queue list >/dev/null; say 'npm answers' $?
`;

interface Trial {
  said: Said;
  directory: string;
  layouts: Layouts;
  /** The version of the package. */
  version: string;
}

export async function tellLife({ step, say }: Pick<Stage, 'step' | 'say'>, trial: Trial): Promise<void> {
  const { said, directory, layouts, version } = trial;
  const { value, section } = said;
  const file = (name: string) => readFile(join(directory, name), 'utf8');
  await step(
    'dpkg puts a later version in its place under load: nobody is refused, nothing is lost',
    async () => {
      equal(value('upgrade'), '0', await file('upgrade'));
      equal(value('new process'), 'yes');
      equal(value('store is of'), `Posthorn ${laterVersion},schema ${layouts.after}`);
      await nothingLost(JSON.parse(await file('stream')), join(directory, 'Maildir'), say);
    },
  );
  await step('configuration and accounts are as before, and the doctor says what it said', async () => {
    equal(value('configuration after'), value('configuration before'));
    match(await file('accounts'), new RegExp(address));
    ok(value('doctor before'), 'the doctor said nothing');
    equal(value('doctor after'), value('doctor before'));
    equal(value('healthz'), 'live');
  });
  await step('an earlier version is refused before anything is changed', async () => {
    const words = await file('downgrade');
    ok(value('downgrade') !== '0', words);
    const { before, after } = layouts;
    const writer = laterVersion.replaceAll('.', '\\.');
    match(
      words,
      new RegExp(`written by Posthorn ${writer}, with schema version ${after}; .* up to ${before}\\.`),
    );
    equal(value('version after the downgrade'), laterVersion);
    equal(value('same process'), 'yes');
  });
  await step(
    'a server that hangs is started anew by the watchdog, and one that works is left in peace',
    () => {
      for (const what of ['left in peace', 'started anew']) equal(value(what), 'yes', section('journal'));
      equal(value('handover'), '0');
      equal(value('answers again'), '0');
      equal(value('ended by the watchdog'), '1');
    },
  );
  await step('with the store of before, the earlier version is installed and serves', async () => {
    equal(value('back'), '0', await file('back'));
    equal(value('start of the earlier one'), '0');
    equal(value('its version'), version);
    match(await file('accounts-back'), new RegExp(address));
  });
  await step(
    'removed, it stops and keeps everything; purged, it says what it takes and what it leaves',
    () => {
      equal(value('remove'), '0');
      equal(value('still listening'), '0');
      equal(value('failed units'), '0');
      equal(value('kept when removed'), 'yes');
      for (const unit of ['socket', 'service'])
        match(section('purge'), new RegExp(`^/etc/systemd/system/posthorn\\.${unit} is removed$`, 'm'));
      for (const place of ['/var/lib/posthorn', '/etc/posthorn'])
        match(section('purge'), new RegExp(`^${place} is left as it is`, 'm'));
      equal(value('units after the purge'), '');
      equal(value('kept when purged'), 'yes');
    },
  );
  await step('installed by npm, it is run by the program and the Node that are there', () => {
    match(section('npm'), /service +made +posthorn\.socket, posthorn\.service .* started/);
    equal(value('of npm'), 'active');
    const program = `${shared}/${npmPlace}/lib/node_modules/posthorn/dist/main.js`;
    match(value('program of npm') ?? '', new RegExp(`^/opt/node/bin/node .* ${program} serve `));
    equal(value('npm answers'), '0');
  });
}
