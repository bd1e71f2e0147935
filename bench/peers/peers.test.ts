import { expect, test } from 'vitest';
import { chasquidConfiguration } from './chasquid.ts';
import { libraryNames } from './debian.ts';
import { exim, eximConfiguration } from './exim.ts';
import { harakaConfiguration } from './haraka.ts';
import { opensmtpdConfiguration } from './opensmtpd.ts';
import { startScript } from './overlay.ts';
import { peers, skipLine } from './peers.ts';
import { tuning } from './postfix.ts';

const ports = { port: 2525, sinkPort: 2526 };

test('peers: tuned Postfix by default, and everybody on request', () => {
  expect(peers.tuned.map(({ name }) => name)).toEqual(['postfix-tuned']);
  expect(peers.all.map(({ name }) => name)).toEqual([
    'postfix-tuned',
    'postfix-default',
    'exim',
    'opensmtpd',
    'chasquid',
    'haraka',
  ]);
});

test('tuning: as many connections to the sink as there are senders, and no throttle', () => {
  expect(tuning).toEqual({
    default_destination_concurrency_limit: '20',
    initial_destination_concurrency: '20',
    in_flow_delay: '0',
  });
});

test('skipLine() names the peer, what brings it, and why it is not there', () => {
  expect(skipLine(exim, new Error('no network\nat all\n'))).toBe(
    '  skip exim (apt-get download exim4-daemon-light): no network\n    at all',
  );
});

test('every configuration listens at the one port and sends to the other', () => {
  expect(eximConfiguration(ports)).toMatch(/^daemon_smtp_ports = 2525$[\s\S]*^ {2}port = 2526$/m);
  expect(opensmtpdConfiguration(ports)).toMatch(/port 2525 [\s\S]*smtp:\/\/127\.0\.0\.1:2526/);
  expect(harakaConfiguration(ports)).toMatchObject({
    'smtp.ini': expect.stringContaining('listen=127.0.0.1:2525'),
    'relay_dest_domains.ini': expect.stringContaining('"nexthop":"127.0.0.1:2526"'),
  });
  expect(chasquidConfiguration(2525)).toContain('smtp_address: "127.0.0.1:2525"');
});

test('libraryNames() takes the libraries of a dependency tree, each once, and not the C library', () => {
  const tree =
    'exim4-daemon-light\n  Depends: libpcre2-8-0\nlibpcre2-8-0\nlibc6\nadduser\nlibdb5.3\nlibdb5.3\n';
  expect(libraryNames(tree)).toEqual(['libpcre2-8-0', 'libdb5.3']);
});

test('startScript() lays the package over the machine, binds what is written to, and waits for the server', () => {
  const script = startScript('/scratch/exim', {
    folders: { '/var/spool/exim4': {} },
    command: ['exim4', '-bdf'],
  });
  expect(script.split('\n')).toEqual([
    'set -e',
    "mount -t overlay overlay -o 'lowerdir=/scratch/exim/tree/usr:/usr' /usr",
    "mount -t overlay overlay -o 'lowerdir=/scratch/exim/tree/etc:/etc' /etc",
    "mount -t overlay overlay -o 'lowerdir=/scratch/exim/tree/var:/var' /var",
    "mount --bind '/scratch/exim/state/-var-spool-exim4' '/var/spool/exim4'",
    "'exim4' '-bdf' &",
    'wait',
    '',
  ]);
});
