/**
 * What a filter is told besides each command (SMFIC_MACRO), under the names that Sendmail has for it: `{client_addr}`, `i`.
 * A name of more than one letter has braces.
 */

import { command } from './codes.ts';
import { encodePacket, texts } from './packet.ts';

/** SMFIM_*, in their order. */
export const macroStages = [
  'connect',
  'helo',
  'mail',
  'recipient',
  'data',
  'endOfMessage',
  'endOfHeader',
] as const;

export type MacroStage = (typeof macroStages)[number];

/** The macros that a filter wants to hear at a stage, instead of the usual ones (SMFIF_SETSYMLIST). */
export type MacroWishes = ReadonlyMap<MacroStage, readonly string[]>;

/** By name, without braces. What is not known is absent. */
export type Macros = Readonly<Record<string, string | undefined>>;

/** As Sendmail and Postfix give them where a filter has no wishes. */
const usual: Record<MacroStage, readonly string[]> = {
  connect: [
    'j',
    '_',
    'v',
    'daemon_name',
    'daemon_addr',
    'daemon_port',
    'if_name',
    'if_addr',
    'client_addr',
    'client_name',
    'client_port',
    'client_ptr',
    'client_resolve',
  ],
  helo: ['tls_version', 'cipher', 'cipher_bits', 'cert_subject', 'cert_issuer'],
  mail: [
    'i',
    'auth_type',
    'auth_authen',
    'auth_author',
    'auth_ssf',
    'mail_mailer',
    'mail_host',
    'mail_addr',
    'client_addr',
    'client_name',
    'client_port',
  ],
  recipient: ['rcpt_mailer', 'rcpt_host', 'rcpt_addr', 'i'],
  data: ['i'],
  endOfHeader: ['i'],
  endOfMessage: ['i', 'auth_authen'],
};

const letterOf: Record<MacroStage, string> = {
  connect: command.connect,
  helo: command.helo,
  mail: command.mail,
  recipient: command.recipient,
  data: command.data,
  endOfHeader: command.endOfHeader,
  endOfMessage: command.endOfMessage,
};

/** The packet that goes before a command; none where there is nothing to tell. */
export function macroPacket(
  stage: MacroStage,
  macros: Macros,
  { macros: wishes }: { macros: MacroWishes },
): Buffer[] {
  const names = wishes.get(stage) ?? usual[stage];
  const pairs = names.flatMap((name) => {
    const plain = name.replace(/^\{(.*)\}$/s, '$1');
    const value = Object.hasOwn(macros, plain) ? macros[plain] : undefined;
    return value === undefined ? [] : [plain.length === 1 ? plain : `{${plain}}`, value];
  });
  if (pairs.length === 0) return [];
  return [encodePacket(command.macros, Buffer.from(letterOf[stage], 'latin1'), texts(...pairs))];
}
