/** Debian's pebble, the test server of Let's Encrypt: an authority that forgets everything when it ends. */

import { writeFile } from 'node:fs/promises';
import { run, start } from '../process.ts';
import type { World } from '../world.ts';

export interface PebbleOptions {
  inside: readonly string[];
  /** Its name in DNS; default: pebble.example.com. */
  host?: string;
  /** Where it listens; default: loopback. */
  address?: string;
  /** Of a hundred nonces, so many are refused; pebble's default is 5. */
  refusedNonces?: number;
  /** It makes an account only for customers: HMAC keys, base64url, by their ids (RFC 8555 §7.3.4). */
  customers?: Readonly<Record<string, string>>;
  /** How a certificate's end is: `15768000` seconds is pebble's default. */
  validitySeconds?: number;
}

export interface Pebble {
  directory: string;
  /** What its certificates are verified by, PEM. */
  root(): Promise<string>;
  /** What it thinks of a certificate, by its serial number in hexadecimal: `Valid`, `Revoked`. */
  statusOf(serial: string): Promise<string>;
  stop(): Promise<void>;
}

/** Looks at port 80 and 443, and asks the DNS at 127.0.0.1 port 53. */
export async function startPebble(world: World, options: PebbleOptions): Promise<Pebble> {
  const authority = await world.authority();
  const { host = 'pebble.example.com', address = '127.0.0.1' } = options;
  const own = await authority.issue(host);
  const config = world.path('pebble.json');
  const pebble = {
    listenAddress: `${address}:14000`,
    managementListenAddress: '127.0.0.1:15000',
    certificate: own.cert,
    privateKey: own.key,
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: options.customers !== undefined,
    externalAccountMACKeys: options.customers ?? {},
    ...(options.validitySeconds !== undefined && { certificateValidityPeriod: options.validitySeconds }),
  };
  await writeFile(config, JSON.stringify({ pebble }));
  const environment = [
    'PEBBLE_VA_NOSLEEP=1',
    `PEBBLE_WFE_NONCEREJECT=${options.refusedNonces ?? 5}`,
    'PEBBLE_AUTHZREUSE=0',
  ];
  const [first = '', ...words] = [
    ...options.inside,
    'env',
    ...environment,
    'sh',
    '-c',
    `exec pebble -config ${config} -dnsserver 127.0.0.1:53 2>&1`,
  ];
  const running = start(first, words, world.watchLog(world.path('pebble-log')));
  world.atEnd(() => running.kill());
  await running.line(/Listening on: [\d.]+:14000/);
  const fetched = async (path: string): Promise<string> => {
    const [command = '', ...args] = [
      ...options.inside,
      ...['curl', '-sf', '--cacert', authority.caFile, '--resolve', `${host}:15000:127.0.0.1`],
      `https://${host}:15000${path}`,
    ];
    const { code, stdout, output } = await run(command, args);
    if (code !== 0) throw new Error(`pebble does not answer: ${output}`);
    return stdout.toString();
  };
  return {
    directory: `https://${host}:14000/dir`,
    root: () => fetched('/roots/0'),
    statusOf: async (serial) => JSON.parse(await fetched(`/cert-status-by-serial/${serial}`)).Status,
    stop: async () => void (await running.stop()),
  };
}
