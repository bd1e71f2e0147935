/** The Debian package in a system that systemd has booted: quickstart, the service, its sockets, its rights and its restarts. */

import { equal, match, ok } from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ZoneData } from '../../src/dns/zone-data.ts';
import { node, playBooted, readSaid, shared, sources } from '../peers/booted.ts';
import type { Stage } from '../runner.ts';
import { endScript, lifeScript, packLater, tellLife } from './booted-life.ts';

const address = 'alice@example.com';

/** Who sends from outside. */
const zone: ZoneData = { 'example.org': { A: ['127.0.0.1'], TXT: ['v=spf1 a -all'] } };

const script = `
show() { systemctl show "$1" -p "$2" --value; }
say() { echo "$1=$2"; }
within() { for try in $(seq $1); do "\${@:2}" && return; sleep 0.1; done; }
# Another process than $pid, which is ready.
is_new() { now=$(show posthorn.service MainPID); [ "$now" != "$pid" ] && [ "$now" != 0 ] && [ "$(show posthorn.service ActiveState)" = active ]; }
ip link set lo up
ip addr add 203.0.113.7/32 dev lo
ip -6 addr add 2001:db8::7/128 dev lo
rm -f /var/lib/man-db/auto-update # the index of manual pages would be made anew each time
dpkg -i ${shared}/posthorn_*.deb >/dev/null && say installed yes
echo nameserver 127.0.0.1 > /etc/resolv.conf
coproc ${node} ${sources}/e2e/peers/network-dns.ts ${shared}/zone.json; read -ru "\${COPROC[0]}"
echo '<quickstart>'; timeout 100 posthorn quickstart example.com --user alice; echo '</quickstart>'
for unit in posthorn.service posthorn.socket; do say "active $unit" "$(show $unit ActiveState)"; done
pid=$(show posthorn.service MainPID)
say user "$(show posthorn.service User)"
for right in CapEff CapAmb NoNewPrivs Seccomp; do say $right "$(awk "/^$right:/{print \\$2}" /proc/$pid/status)"; done
say "held by systemd" "$(ss -ltnpH | grep -c '"systemd"')"
posthorn send --from ${address} --to ${address} --subject 'by root' --text x >/dev/null; say send $?
printf 'Subject: by a user\\n\\nx\\n' | setpriv --reuid=daemon --regid=daemon --clear-groups posthorn sendmail ${address}; say sendmail $?
systemctl reload posthorn; say reload $?
# Who connects while it is restarted waits in the socket that systemd holds.
( refused=0; for try in $(seq 150); do (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null || refused=$((refused + 1)); sleep 0.02; done; say refused $refused ) & knocks=$!
sleep 0.3; systemctl restart posthorn; say restart $?; wait $knocks
pid=$(show posthorn.service MainPID); kill -9 $pid; within 100 is_new
say 'active after a kill' "$(show posthorn.service ActiveState)"
posthorn queue list >/dev/null; say 'answers after a kill' $?
for try in $(seq 50); do [ "$(grep -lr '^Subject: by' /var/lib/posthorn/accounts/${address}/Maildir/new | wc -l)" -ge 2 ] && break; sleep 0.1; done
say delivered "$(grep -hr '^Subject: by' /var/lib/posthorn/accounts/${address}/Maildir/new | sort | tr -d '\\r' | paste -sd,)"
${lifeScript}
systemctl stop posthorn 2>/dev/null; say stop $?; say 'result of the stop' "$(show posthorn.service Result)"
echo '<journal>'; journalctl -u posthorn --no-pager -o cat; echo '</journal>'
${endScript}`;

/** `directory` holds the package. */
export async function playInBootedSystem(
  { step, skip, say }: Pick<Stage, 'step' | 'skip' | 'say'>,
  directory: string,
): Promise<void> {
  const [deb = ''] = (await readdir(directory)).filter((name) => name.startsWith('posthorn_'));
  const layouts = await packLater(directory, join(directory, deb));
  await writeFile(join(directory, 'zone.json'), JSON.stringify(zone));
  const played = await playBooted(directory, script).catch((error: Error) => error);
  if (played === undefined)
    return skip('the service in a booted system', 'systemd-nspawn can boot nothing here');
  const said = readSaid(typeof played === 'string' ? played : '');
  const { value, section } = said;
  await step(
    'where systemd has booted the machine, the package and quickstart make a service that runs',
    () => {
      if (typeof played !== 'string') throw played;
      equal(value('installed'), 'yes', said.text);
      match(section('quickstart'), /service +made +posthorn\.socket, posthorn\.service .* started/);
      equal(value('active posthorn.service'), 'active', said.text);
      equal(value('active posthorn.socket'), 'active');
    },
  );
  await step("it has no right of root's but ports below 1024, and its sockets come from systemd", () => {
    equal(value('user'), 'posthorn');
    equal(value('CapEff'), '0000000000000400'); // CAP_NET_BIND_SERVICE
    equal(value('CapAmb'), '0000000000000400');
    equal(value('NoNewPrivs'), '1');
    equal(value('Seccomp'), '2');
    ok(Number(value('held by systemd')) >= 6, value('held by systemd'));
  });
  await step('mail of root and of a user of the machine arrives', () => {
    equal(value('send'), '0');
    equal(value('sendmail'), '0');
    equal(value('delivered'), 'Subject: by a user,Subject: by root');
  });
  await step(
    'it is reloaded, restarted without a refused connection, comes again after a kill, and stops',
    () => {
      equal(value('reload'), '0');
      equal(value('restart'), '0');
      equal(value('refused'), '0');
      equal(value('active after a kill'), 'active');
      equal(value('answers after a kill'), '0');
      equal(value('stop'), '0');
      equal(value('result of the stop'), 'success');
      equal(/systemd could not be told/.test(section('journal')), false, section('journal'));
    },
  );
  await tellLife({ step, say }, { said, directory, layouts, version: deb.split('_')[1] ?? '' });
}
