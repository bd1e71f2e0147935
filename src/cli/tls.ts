/** `posthorn tls`: the certificates that are shown, and those that come from an authority. */

import type { AcmeStatus, IssuedStatus } from '../acme/acme-status.ts';
import type { TlsStatus } from '../admin/shapes/certificates.ts';
import { printable } from '../dossier/printable.ts';
import { durationOf } from '../dossier/words.ts';
import { dateText, findFaults } from '../net/key-pair.ts';
import type { KnownCertificate } from '../net/tls-context.ts';
import { type CommonOptions, type Context, printJson, withAdmin } from './context.ts';
import type { CommandTree } from './define.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface RenewOptions extends CommonOptions {
  force?: boolean;
}

interface RolloverOptions extends CommonOptions {
  now?: boolean;
}

export function addTlsCommands(tree: CommandTree, context: Context): void {
  const group = tree.root.command('tls').description('certificates: those in use, and those to come');
  tree.run(
    tree
      .add(group, 'status', 'show them, when they end, when they are renewed, and what went wrong last', {
        isDefault: true,
      })
      .option('--json', 'print JSON'),
    (options) => withAdmin(context, options, (admin) => admin.tlsStatus()).then(shown(context, options)),
  );
  tree.run(
    tree
      .add(group, 'renew [name]', 'ask the authority now for what is due or has failed, and wait for it')
      .option('--force', 'also for what is not due, and although the authority wants to be left alone')
      .option('--json', 'print JSON'),
    ({ force = false, ...options }: RenewOptions, name: string | undefined) =>
      withAdmin(context, options, (admin) =>
        admin.renewCertificates({ force, ...(name !== undefined && { name }) }),
      ).then(shown(context, options)),
  );
  tree.run(
    tree
      .add(
        group,
        'rollover [name]',
        'make a new key, to be used when DNS has shown its TLSA record for long enough',
      )
      .option('--now', 'use it at once, whatever DNS shows: where the present key is known to others')
      .option('--json', 'print JSON'),
    ({ now = false, ...options }: RolloverOptions, name: string | undefined) =>
      withAdmin(context, options, (admin) =>
        admin.rolloverKey({ isUrgent: now, ...(name !== undefined && { name }) }),
      ).then(shown(context, options)),
  );
  tree.run(
    tree
      .add(group, 'revoke [name]', 'have the certificate revoked whose key rollover --now has replaced')
      .option('--json', 'print JSON'),
    (options: CommonOptions, name: string | undefined) =>
      withAdmin(context, options, (admin) =>
        admin.revokeCertificate(name === undefined ? {} : { name }),
      ).then(shown(context, options)),
  );
}

/** What fails by itself later is told, and is an exit code: nobody reads a log before it is too late. */
const shown =
  (context: Context, options: CommonOptions) =>
  (status: TlsStatus): ExitCode => {
    const now = context.clock.now();
    if (options.json) printJson(context, status);
    else context.terminal.out(`${statusLines(status, now).map(printable).join('\n')}\n`);
    return hasTrouble(status, now) ? exitCodes.unwell : exitCodes.ok;
  };

/** What the exit code tells. */
export function hasTrouble({ certificates, acme }: TlsStatus, now: number): boolean {
  return (
    acme?.accountProblem !== undefined ||
    acme?.certificates.some(({ lastError }) => lastError !== undefined) === true ||
    certificates.some(
      (certificate) =>
        certificate.trouble !== undefined ||
        (!certificate.isSelfSigned && findFaults(certificate, now).length > 0),
    )
  );
}

export function statusLines({ certificates, acme }: TlsStatus, now: number): string[] {
  if (certificates.length === 0) return ['There is no TLS: add [tls] or [acme] to the configuration.'];
  return [
    ...certificates.flatMap((certificate) => certificateLines(certificate, now)),
    ...(acme ? acmeLines(acme, now) : []),
  ];
}

const originText = {
  configuration: 'from files',
  acme: 'from the authority',
  'self-signed': 'of our own making',
} as const;

function certificateLines(certificate: KnownCertificate, now: number): string[] {
  const { names, issuer, notAfter, origin, file, spkiSha256, trouble } = certificate;
  return [
    `${names.join(', ')}  (${originText[origin]})`,
    `    issued by ${issuer}, ends ${momentText(notAfter, now)}`,
    `    ${file}`,
    `    TLSA 3 1 1 ${spkiSha256}`,
    ...findFaults(certificate, now).map((fault) => `    WARNING: ${fault}`),
    ...(trouble === undefined ? [] : [`    WARNING: what lies in its files now is not used. ${trouble}`]),
  ];
}

function acmeLines(acme: AcmeStatus, now: number) {
  const { directory, challenge, account, accountProblem, clockAheadMs, certificates } = acme;
  const clock =
    clockAheadMs === undefined
      ? []
      : [
          `WARNING: our clock is ${durationOf(Math.abs(clockAheadMs))} ${clockAheadMs > 0 ? 'ahead of' : 'behind'} the authority's: have it set by NTP.`,
        ];
  return [
    '',
    `Authority: ${directory}, by ${challenge}; account: ${account ?? (accountProblem === undefined ? 'none yet' : 'not known')}`,
    ...(accountProblem === undefined ? [] : [`WARNING: ${accountProblem}`]),
    ...clock,
    ...certificates.flatMap((one) => issuedLines(one, now)),
  ];
}

function issuedLines(issued: IssuedStatus, now: number): string[] {
  const { id, names, certificate, renewAt, advice, failures, lastError, notBefore, isAsked, note } = issued;
  const others = names.length > 1 ? ` and ${names.length - 1} more` : '';
  const lines = [`${id}${others}: ${certificate === undefined ? 'no certificate yet' : 'issued'}`];
  if (note !== undefined) lines.push(`    not asked for: ${note}`);
  if (renewAt !== undefined && certificate !== undefined)
    lines.push(`    to be renewed ${momentText(renewAt, now)}${advice ? ', as the authority advises' : ''}`);
  if (advice?.explanation !== undefined) lines.push(`    why: ${advice.explanation}`);
  if (lastError !== undefined)
    lines.push(`    failed ${momentText(lastError.at, now)} (${failures} in a row): ${lastError.text}`);
  if (lastError !== undefined && notBefore !== undefined)
    lines.push(
      `    asked again ${momentText(notBefore, now)}${isAsked ? ', as the authority wants it' : ''}; at once: posthorn tls renew`,
    );
  if (issued.replaced !== undefined)
    lines.push(
      `    the one before, which ends ${momentText(issued.replaced.notAfter, now)}, is not revoked: posthorn tls revoke ${id}`,
    );
  return [...lines, ...nextKeyLines(issued, now)];
}

function nextKeyLines({ nextKey }: IssuedStatus, now: number): string[] {
  if (nextKey === undefined) return [];
  const { sha256, waitsFor, opensAt } = nextKey;
  return [
    `    next key: TLSA 3 1 1 ${sha256}`,
    ...(waitsFor === undefined ? [] : [`    it waits: ${waitsFor}`]),
    ...(opensAt === undefined ? [] : [`    it is used ${momentText(opensAt, now)}`]),
  ];
}

function momentText(moment: number, now: number): string {
  const distance = durationOf(Math.abs(moment - now));
  return `${dateText(moment)} (${moment < now ? `${distance} ago` : `in ${distance}`})`;
}
