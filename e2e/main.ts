/**
 * `npm run e2e [-- NAME …]`: our server against the programs that people really use. Installs what it needs by apt,
 * so it wants root and Debian. The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
 */

import { allPrograms, ensurePrograms } from './packages.ts';
import { playAll } from './runner.ts';
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
import { quickstart } from './scenarios/quickstart.ts';
import { reading } from './scenarios/reading.ts';
import { sendmail } from './scenarios/sendmail.ts';
import { smuggling } from './scenarios/smuggling.ts';
import { smugglingRelays } from './scenarios/smuggling-relays.ts';
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
  packages,
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
  handover,
  upgrade,
  dialogue,
  forwards,
  greylisting,
  greylistingReceiver,
  tlsPolicies,
  acme,
  transports,
  web,
  thunderbird,
  queue,
  dkim,
  authentication,
  filters,
  signingFilter,
  check,
  preflight,
  metrics,
  addresses,
  tlsReports,
  dmarcReports,
  smuggling,
  smugglingRelays,
  proxies,
  abuse,
  diskFull,
  corruption,
  backup,
  sendmail,
  failingDisk,
  crash,
];

async function main(names: readonly string[]): Promise<number> {
  const chosen = scenarios.filter(
    ({ name }) => names.length === 0 || names.some((each) => name.startsWith(each)),
  );
  if (chosen.length === 0) {
    console.error(
      `No scenario begins like this. There are:\n${scenarios.map(({ name }) => `  ${name}`).join('\n')}`,
    );
    return 64;
  }
  try {
    await ensurePrograms(allPrograms);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.log('0 passed, 1 failed');
    return 1;
  }
  const { passed, failed } = await playAll(chosen);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// A step that ran out of time may still hold sockets open; by now there is nothing left to wait for.
process.exit(await main(process.argv.slice(2)));
