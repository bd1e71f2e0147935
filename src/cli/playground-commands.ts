/** What to try in the playground while it is up: who listens where, passwords, and five commands that work as they stand. */

import type { Protocol } from '../config/listeners.ts';
import type { Page } from './playground-page.ts';

export interface PlaygroundServer {
  hostname: string;
  /** On all loopback addresses. */
  ports: Readonly<Record<Exclude<Protocol, 'lmtp' | 'http' | 'https'>, number>>;
  account: string;
  password: string;
  configFile: string;
  logFile: string;
}

export interface Playground {
  /** Its own temporary directory. */
  directory: string;
  authorityFile: string;
  dns: { address: string; port: number };
  com: PlaygroundServer;
  net: PlaygroundServer;
  /** What to call to run `posthorn`. */
  program: string;
}

export function tellWhatToTry(page: Page, playground: Playground): void {
  const { com, net, dns, authorityFile, directory } = playground;
  page.heading('Your turn');
  page.say('Both servers stay up, on this machine only, until you press Ctrl-C. Their ports and accounts:');
  page.say(...columns(portTable([com, net])));
  page.say(
    ...columns([
      ['DNS', `${dns.address} port ${dns.port}, UDP and TCP`],
      ['certificates', `signed by ${authorityFile}`],
      ['configurations', com.configFile],
      ['', net.configFile],
      ['logs', com.logFile],
      ['', net.logFile],
    ]),
  );
  page.say('Five things to try in another terminal:');
  for (const { purpose, command } of suggestions(playground)) page.command(purpose, command);
  page.say(`To end: Ctrl-C. It removes ${directory} with all that is in it.`);
}

const listed = ['smtp', 'submission', 'submissions', 'pop3', 'pop3s'] as const satisfies Protocol[];

function portTable(servers: readonly PlaygroundServer[]): string[][] {
  return [
    ['', ...listed, 'account', 'password'],
    ...servers.map(({ hostname, ports, account, password }) => [
      hostname,
      ...listed.map((protocol) => String(ports[protocol])),
      account,
      password,
    ]),
  ];
}

/** Rows as lines, each column as wide as its widest cell. */
function columns(rows: readonly string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

interface Suggestion {
  purpose: string;
  /** One line of shell. */
  command: string;
}

function suggestions(playground: Playground): Suggestion[] {
  return [swaks(playground), trace(playground), curl(playground), mpop(playground), openssl(playground)];
}

const swaks = ({ com, net, authorityFile }: Playground): Suggestion => ({
  purpose: 'send another letter: submission with STARTTLS and password (apt install swaks)',
  command:
    `swaks -s 127.0.0.1:${com.ports.submission} -tls --tls-verify --tls-ca-path ${authorityFile}` +
    ` -a PLAIN -au ${com.account} -ap ${com.password} -f ${com.account} -t ${net.account}`,
});

const trace = ({ net, program }: Playground): Suggestion => ({
  purpose: 'ask what happened to everything that arrived',
  command: `${program} trace ${net.account} --config ${net.configFile}`,
});

const curl = ({ net, authorityFile }: Playground): Suggestion => ({
  purpose: 'read the first letter: POP3 over TLS (apt install curl)',
  command: `curl --cacert ${authorityFile} -u ${net.account}:${net.password} pop3s://127.0.0.1:${net.ports.pop3s}/1`,
});

/** Its list of what it has read goes to our directory: nothing of ours stays in the user's home. */
const mpop = ({ net, authorityFile, directory }: Playground): Suggestion => ({
  purpose: 'read the new letters with a mail program, and leave them on the server (apt install mpop)',
  command:
    `mpop --quiet --host=127.0.0.1 --port=${net.ports.pop3s} --tls=on --tls-starttls=off` +
    ` --tls-trust-file=${authorityFile} --auth=user --user=${net.account}` +
    ` --passwordeval='echo ${net.password}' --keep=on --uidls-file=${directory}/mpop.uidls --delivery=mda,cat`,
});

const openssl = ({ net, authorityFile }: Playground): Suggestion => ({
  purpose: 'speak SMTP yourself, and be refused: this server relays for no stranger (apt install openssl)',
  command:
    "printf 'EHLO me.invalid\\r\\nMAIL FROM:<me@me.invalid>\\r\\nRCPT TO:<you@you.invalid>\\r\\nQUIT\\r\\n' |" +
    ` openssl s_client -quiet -starttls smtp -connect 127.0.0.1:${net.ports.smtp}` +
    ` -servername ${net.hostname} -CAfile ${authorityFile} -verify_return_error`,
});
