/** Which machine and application serve a connection that has been let in, as one reading of the configuration has it. */

import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import { addressClass } from '../net/addresses.ts';
import { Connection, type OpenSession } from '../net/connection.ts';
import type { Socket } from '../net/listener.ts';
import type { Peer, TlsInfo } from '../net/machine.ts';
import { type NetworkSet, networkSet } from '../net/networks.ts';
import type { Certificates } from '../net/tls-context.ts';
import { Pop3Session } from '../pop3/session.ts';
import type { Directory } from '../queue/directory.ts';
import type { Quotas } from '../queue/quotas.ts';
import type { Conducts } from '../reception/abuse/conduct.ts';
import type { Door, Session } from '../reception/door.ts';
import type { Login } from '../reception/login.ts';
import type { Logins } from '../reception/open-logins.ts';
import { pop3Application } from '../reception/pop3.ts';
import type { SignedIn } from '../reception/signed-in.ts';
import { SmtpApplication } from '../reception/smtp-application.ts';
import { replyLines } from '../smtp/reply.ts';
import { SmtpSession } from '../smtp/session.ts';
import { maildirPath } from '../store/maildir.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

export interface SessionParts {
  quotas: Quotas;
  config: Config;
  log: Log;
  clock: Clock;
  directory: Directory;
  logins: Logins;
  conducts: Conducts;
  nextQueueId(): string;
  /** Absent: without TLS. */
  certificates: Certificates | undefined;
  doors: Record<Via, Door>;
  /** Accounts whose mailbox is open. */
  openMailboxes: Set<string>;
  signedIn: SignedIn;
}

type Via = 'smtp' | 'submission' | 'lmtp';

/** A connection that has been taken. */
export interface Incoming {
  socket: Socket;
  listener: ListenerConfig;
  peer: Peer;
  tls: TlsInfo | undefined;
}

export function serverFor(parts: SessionParts): (incoming: Incoming) => OpenSession {
  const trusted = networkSet(parts.config.relay.trustedNetworks);
  return (incoming) =>
    incoming.listener.protocol.startsWith('pop3')
      ? servePop3(parts, incoming)
      : serveSmtp(parts, isTrusted(trusted, incoming.peer), incoming);
}

/** A proxy that does not say whom it speaks for may speak for anybody: its own network says nothing. */
const isTrusted = (trusted: NetworkSet, { address, proxy }: Peer): boolean =>
  proxy?.speaksFor !== 'nobody' && trusted(address);

/** Who hands on what it has let in must be ours: by configuration, or on this machine. */
export const mayDeliver = (trusted: NetworkSet, peer: Peer): boolean =>
  isTrusted(trusted, peer) || (peer.proxy === undefined && addressClass(peer.address) === 'loopback');

function serveSmtp(parts: SessionParts, trusted: boolean, incoming: Incoming): OpenSession {
  const { socket, listener, peer, tls } = incoming;
  const { config, clock, log, certificates } = parts;
  const { limits } = config;
  const via = viaOf(listener.protocol);
  const outside = via === 'smtp';
  const machine = smtpMachine(parts, trusted, incoming);
  const session: Session = {
    via,
    peer,
    trusted: outside && trusted,
    tls,
    hello: undefined,
    account: undefined,
    commandsHeard: () => machine.commandsHeard,
    dialogue: (answer) => machine.dialogue.excerpt(answer && replyLines(answer).map((line) => `S: ${line}`)),
  };
  const isDelayed = outside && !trusted && limits.greetingDelayMs > 0;
  const late = lateGreeting(clock, limits.greetingDelayMs, () => {
    session.talkedEarly = machine.hasUnread;
  });
  const conduct = via === 'lmtp' ? undefined : parts.conducts.of(peer);
  const application = new SmtpApplication(
    {
      ...parts,
      conduct,
      door: parts.doors[via],
      ...(isDelayed && { greeting: late.greeting }),
      ...(via === 'submission' && {
        login: signingIn(parts, parts.logins.loginsOf(peer.address, conduct, 'submission'), () => connection),
      }),
    },
    session,
  );
  const served = outside ? certificates?.servers : certificates?.users;
  const connection: OpenSession = new Connection(socket, { machine, application, tls: served, limits, log });
  void connection.closed.then(() => {
    late.forget();
    conduct?.badCommands(machine.errors);
  });
  return connection;
}

function smtpMachine(
  { config, clock, certificates, logins }: SessionParts,
  trusted: boolean,
  { listener, tls }: Incoming,
): SmtpSession {
  const { limits } = config;
  const via = viaOf(listener.protocol);
  const isOurUsers = via === 'submission';
  return new SmtpSession({
    hostname: config.hostname,
    now: clock.now,
    startTls: certificates !== undefined,
    ...(tls && { tls }),
    lmtp: via === 'lmtp',
    auth: isOurUsers ? logins.mechanisms() : [],
    ...(isOurUsers && { scheduling: { holdSeconds: limits.holdDays * 24 * 3600 } }),
    // Programs on trusted networks are as careless with line ends as our users' are, and are no smugglers.
    bareNewline: trusted || via === 'lmtp' ? 'normalize' : listener.bareNewline,
    ...limits,
  });
}

/** Strangers wait for their greeting; `atGreeting` is when it is seen whether they have. */
function lateGreeting(clock: Clock, delayMs: number, atGreeting: () => void) {
  let forget = () => {};
  const greeting = (): Promise<undefined> =>
    new Promise((resolve) => {
      forget = clock.after(delayMs, () => {
        atGreeting();
        resolve(undefined);
      });
    });
  return { greeting, forget: () => forget() };
}

function servePop3(parts: SessionParts, { socket, listener, peer, tls }: Incoming): OpenSession {
  const { config, log, certificates } = parts;
  const machine = new Pop3Session({
    hostname: config.hostname,
    startTls: certificates !== undefined,
    ...(tls && { tls }),
    allowPlaintextAuth: listener.allowPlaintextAuth,
    // LOGIN is for mail programs that are older than POP3's AUTH.
    mechanisms: parts.logins.mechanisms().filter((name) => name !== 'LOGIN'),
  });
  const maildirOf = (account: string) => maildirPath(config.dataDir, account);
  const conduct = parts.conducts.of(peer);
  const login = signingIn(parts, parts.logins.loginsOf(peer.address, conduct, 'pop3'), () => connection);
  const application = pop3Application({ login, maildirOf, openMailboxes: parts.openMailboxes, log }, peer);
  const connection: OpenSession = new Connection(socket, {
    machine,
    application,
    tls: certificates?.users,
    limits: config.limits,
    log,
  });
  void connection.closed.then(() => conduct?.badCommands(machine.faults));
  return connection;
}

/** Whose login is good no more has its session ended, whatever it is about. */
function signingIn({ signedIn }: SessionParts, login: Login, session: () => OpenSession): Login {
  return async (claim) => {
    const outcome = await login(claim);
    if (outcome.kind !== 'welcome') return outcome;
    const { account, appPassword } = outcome;
    const leave = signedIn.add(account, { appPassword, end: () => session().end('revoked') });
    void session().closed.then(leave);
    return outcome;
  };
}

function viaOf(protocol: ListenerConfig['protocol']): Via {
  return protocol === 'smtp' || protocol === 'lmtp' ? protocol : 'submission';
}
