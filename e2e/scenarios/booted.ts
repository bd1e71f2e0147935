/** The Debian package in a system that systemd has booted: quickstart, the service, its sockets, its rights and its restarts. */

import { equal, match, ok } from 'node:assert/strict';
import { playBooted, shared } from '../peers/booted.ts';
import type { Stage } from '../runner.ts';

const address = 'alice@example.com';

/** Prints `name=value` lines, and sections between `<name>` and `</name>`. */
const script = `
show() { systemctl show "$1" -p "$2" --value; }
say() { echo "$1=$2"; }
ip link set lo up
ip addr add 203.0.113.7/32 dev lo
ip -6 addr add 2001:db8::7/128 dev lo
dpkg -i ${shared}/posthorn_*.deb >/dev/null && say installed yes
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
( refused=0; for try in $(seq 150); do (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null || refused=$((refused + 1)); sleep 0.02; done; say refused $refused ) &
sleep 0.3; systemctl restart posthorn; say restart $?; wait
killed=$(show posthorn.service MainPID); kill -9 $killed
for try in $(seq 100); do [ "$(show posthorn.service ActiveState)" = active ] && [ "$(show posthorn.service MainPID)" != $killed ] && break; sleep 0.1; done
say 'active after a kill' "$(show posthorn.service ActiveState)"
posthorn queue list >/dev/null; say 'answers after a kill' $?
for try in $(seq 50); do [ "$(grep -lr '^Subject: by' /var/lib/posthorn/accounts/${address}/Maildir/new | wc -l)" -ge 2 ] && break; sleep 0.1; done
say delivered "$(grep -hr '^Subject: by' /var/lib/posthorn/accounts/${address}/Maildir/new | sort | tr -d '\\r' | paste -sd,)"
systemctl stop posthorn 2>/dev/null; say stop $?; say 'result of the stop' "$(show posthorn.service Result)"
echo '<journal>'; journalctl -u posthorn --no-pager -o cat; echo '</journal>'
`;

/** `directory` holds the package. */
export async function playInBootedSystem(
  { step, skip }: Pick<Stage, 'step' | 'skip'>,
  directory: string,
): Promise<void> {
  const played = await playBooted(directory, script).catch((error: Error) => error);
  if (played === undefined)
    return skip('the service in a booted system', 'systemd-nspawn can boot nothing here');
  const said = typeof played === 'string' ? played : '';
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(said)?.[1];
  const section = (name: string) => new RegExp(`<${name}>\\n([^]*?)</${name}>`).exec(said)?.[1] ?? '';
  await step(
    'where systemd has booted the machine, the package and quickstart make a service that runs',
    () => {
      if (typeof played !== 'string') throw played;
      equal(value('installed'), 'yes', said);
      match(section('quickstart'), /service +made +posthorn\.socket, posthorn\.service .* started/);
      equal(value('active posthorn\\.service'), 'active', said);
      equal(value('active posthorn\\.socket'), 'active');
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
}
