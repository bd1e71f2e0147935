/** What is left to people when a server is set up: a password to keep, DNS records to enter, and what to do next. */

import { delimiter, join } from 'node:path';
import { tableText, wrapped } from '../records/print.ts';
import { missingText } from '../records/unusable-file.ts';
import { isThere, ownProgram } from '../setup/machine.ts';
import { configOption, type Places } from '../setup/places.ts';
import type { Result } from '../setup/quickstart.ts';

/** The texts say `posthorn`: does a shell find it? In a checkout it lies in bin/. */
export async function isAtHand(path = ''): Promise<boolean> {
  const found = await Promise.all(path.split(delimiter).map((folder) => isThere(join(folder, 'posthorn'))));
  return found.includes(true);
}

/** `isFound`: a shell finds `posthorn`. */
export function closing(result: Result, places: Places, isFound: boolean): string[] {
  const { domain, hostname, account, start } = result;
  const option = configOption(places);
  const link = '/usr/local/bin/posthorn';
  const next = [
    ...(isFound || places.isApart ? [] : [`have the command at hand:  ln -s ${ownProgram} ${link}`]),
    ...(start === undefined ? [] : [`start the server:  ${start}`]),
    'enter the DNS records above, where the domain is administered; the reverse names at your hosting provider',
    `see what is still missing:  posthorn doctor${option}`,
    `set up a mail program: server ${hostname}, user name ${account.address}, SMTP port 465, POP3 port 995, both with TLS`,
  ];
  return [
    '',
    ...passwordLines(account),
    '',
    `DNS records to enter for ${domain} (as a zone file: posthorn dns records ${domain} --zone${option}):`,
    '',
    tableText(result.records),
    ...result.unusable.flatMap((one) => [...wrapped(missingText(one)), '']),
    ...wrapped(dmarcAdvice),
    '',
    'Next:',
    ...next.map((line, index) => `  ${index + 1}. ${line}`),
  ];
}

const dmarcAdvice =
  'DMARC begins with p=none: nothing is refused, but others report who sends in your name. After two weeks look at `posthorn reports ' +
  'dmarc`; when all that is yours passes there, change p=none to p=quarantine, and after two more weeks to p=reject.';

const passwordLines = ({ address, password }: Result['account']): string[] =>
  password === undefined
    ? [`Account ${address}: its password is as it was (a new one: posthorn account passwd ${address}).`]
    : [`Account ${address}`, `Password ${password}   (shown this once)`];
