/**
 * `npm run e2e [-- [--lanes N] NAME …]`: our server against the programs that people really use, N scenarios at a time.
 * Installs what it needs by apt, so it wants root and Debian. The last line is `N passed, N failed`; the exit code is 0 only
 * if nothing failed.
 */

import { type Given, runTool, type Tool, UsageError } from '../tools/command-line.ts';
import { allPrograms, ensurePrograms } from './packages.ts';
import { alone, playAll, type Scenario } from './runner.ts';
import { abuse } from './scenarios/abuse.ts';
import { accounts } from './scenarios/accounts.ts';
import { acme } from './scenarios/acme.ts';
import { addresses } from './scenarios/addresses.ts';
import { administration } from './scenarios/administration.ts';
import { authentication } from './scenarios/authentication.ts';
import { backup } from './scenarios/backup.ts';
import { byHand } from './scenarios/by-hand.ts';
import { check } from './scenarios/check.ts';
import { commands } from './scenarios/commands.ts';
import { corruption } from './scenarios/corruption.ts';
import { crash } from './scenarios/crash.ts';
import { dialogue } from './scenarios/dialogue.ts';
import { diskFull } from './scenarios/disk-full.ts';
import { dkim } from './scenarios/dkim.ts';
import { dmarcReports } from './scenarios/dmarc-reports.ts';
import { failingDisk } from './scenarios/failing-disk.ts';
import { filters, signingFilter } from './scenarios/filters.ts';
import { forwards } from './scenarios/forwards.ts';
import { greylisting } from './scenarios/greylisting.ts';
import { greylistingReceiver } from './scenarios/greylisting-receiver.ts';
import { handover } from './scenarios/handover.ts';
import { lmtp } from './scenarios/lmtp.ts';
import { logins } from './scenarios/logins.ts';
import { metrics } from './scenarios/metrics.ts';
import { packages } from './scenarios/packages.ts';
import { postfix } from './scenarios/postfix.ts';
import { preflight } from './scenarios/preflight.ts';
import { proxies } from './scenarios/proxies.ts';
import { queue } from './scenarios/queue.ts';
import { quickstart, quickstartSigned } from './scenarios/quickstart.ts';
import { reading } from './scenarios/reading.ts';
import { sendmail } from './scenarios/sendmail.ts';
import { smuggling } from './scenarios/smuggling.ts';
import { smugglingRelays } from './scenarios/smuggling-relays.ts';
import { spans } from './scenarios/spans.ts';
import { submission } from './scenarios/submission.ts';
import { thunderbird } from './scenarios/thunderbird.ts';
import { timing } from './scenarios/timing.ts';
import { tlsPolicies } from './scenarios/tls-policies.ts';
import { tlsReports } from './scenarios/tls-reports.ts';
import { tokens } from './scenarios/tokens.ts';
import { transports } from './scenarios/transports.ts';
import { upgrade } from './scenarios/upgrade.ts';
import { web } from './scenarios/web.ts';

const scenarios = [
  quickstart,
  commands,
  alone('it changes what is installed on the machine', packages),
  administration,
  accounts,
  byHand,
  submission,
  logins,
  tokens,
  timing,
  reading,
  postfix,
  lmtp,
  alone('its load is what two cores can bear', handover),
  alone('its load is what two cores can bear', upgrade),
  dialogue,
  forwards,
  greylisting,
  greylistingReceiver,
  tlsPolicies,
  acme,
  transports,
  alone('it measures how long a letter takes under load', web),
  thunderbird,
  queue,
  dkim,
  authentication,
  filters,
  signingFilter,
  check,
  preflight,
  metrics,
  spans,
  addresses,
  tlsReports,
  dmarcReports,
  smuggling,
  smugglingRelays,
  proxies,
  alone('others must be served within seconds, and memory is measured', abuse),
  diskFull,
  corruption,
  alone('it kills at moments that it reckons by how long a backup takes', backup),
  sendmail,
  failingDisk,
  alone('its load is what two cores can bear', crash),
];

/** As many as there are cores on the smallest machine that this is played on: most scenarios wait most of the time. */
const defaultLanes = 2;

type OptionName = 'lanes' | 'install' | 'signed';

const tool: Tool<OptionName> = {
  command: 'npm run e2e',
  purpose:
    'Our server against the programs that people really use. Exit code 0 where all holds, 1 where something does not. Wants\n' +
    'root and Debian: what is missing is installed by apt.',
  words: {
    title: 'Scenarios, of which the beginning of the name is enough (default: all)',
    synopsis: '[NAME …]',
    known: scenarios.map(({ name }) => {
      const [word = '', ...story] = name.split(': ');
      return [word, story.join(': ')] as const;
    }),
  },
  options: {
    lanes: {
      value: 'N',
      meaning:
        'How many are played at a time; those that need the machine to themselves come after the others',
      otherwise: String(defaultLanes),
      example: '--lanes 1 queue dkim',
    },
    signed: {
      meaning: 'Quickstart plants its faults of DNS into a zone that is signed (DNSSEC), with DANE',
      example: '--signed quickstart',
    },
    install: {
      meaning: 'Installs what the scenarios call, and plays none',
      example: '--install',
    },
  },
};

interface Request {
  chosen: readonly Scenario[];
  lanes: number;
}

/** Throws UsageError. */
function readRequest(given: Given<OptionName>): Request {
  const lanes = given.count('lanes') ?? defaultLanes;
  const { words } = given;
  const stranger = words.find((word) => !scenarios.some(({ name }) => name.startsWith(word)));
  if (stranger !== undefined) throw new UsageError(`no scenario begins with "${stranger}"`);
  const isChosen = (name: string) => words.length === 0 || words.some((word) => name.startsWith(word));
  const played = scenarios.map((each) =>
    each === quickstart && given.has('signed') ? quickstartSigned : each,
  );
  const chosen = given.has('install') ? [] : played.filter(({ name }) => isChosen(name));
  return { chosen, lanes: chosen.length === 1 ? 1 : lanes };
}

async function main({ chosen, lanes }: Request): Promise<number> {
  try {
    await ensurePrograms(allPrograms);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.log('0 passed, 1 failed');
    return 1;
  }
  const { passed, failed } = await playAll(chosen, lanes);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// A step that ran out of time may still hold sockets open; by now there is nothing left to wait for.
process.exit(await runTool(tool, process.argv.slice(2), { read: readRequest, run: main }));
