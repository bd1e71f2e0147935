/** The second half of the wiring: what listens, and which machine and application serve a connection that comes in. */

import type { Config, ListenerConfig } from '../config/config.ts';
import { addressClass } from '../net/addresses.ts';
import { Connection, type OpenSession } from '../net/connection.ts';
import { Crowd } from '../net/crowd.ts';
import { type Listener, listen, type Socket } from '../net/listener.ts';
import type { Peer, TlsInfo } from '../net/machine.ts';
import { type NetworkSet, networkSet } from '../net/networks.ts';
import type { Certificates } from '../net/tls-context.ts';
import { Pop3Session } from '../pop3/session.ts';
import type { Directory } from '../queue/directory.ts';
import type { Quotas } from '../queue/quotas.ts';
import type { Conducts } from '../reception/abuse/conduct.ts';
import type { Gate } from '../reception/abuse/gate.ts';
import type { Logins } from '../reception/open-logins.ts';
import { pop3Application } from '../reception/pop3.ts';
import { type Door, type Session, SmtpApplication } from '../reception/smtp-application.ts';
import { replyLines } from '../smtp/reply.ts';
import { SmtpSession } from '../smtp/session.ts';
import { maildirPath } from '../store/maildir.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';

export interface ListenersParts {
  quotas: Quotas;
  config: Config;
  log: Log;
  clock: Clock;
  directory: Directory;
  logins: Logins;
  gate: Gate;
  conducts: Conducts;
  nextQueueId(): string;
  /** Absent: without TLS. */
  certificates: Certificates | undefined;
  doors: Record<Via, Door>;
  /** Told of each session that begins. */
  onSession?: ((protocol: string, closed: Promise<unknown>) => void) | undefined;
}

type Via = 'smtp' | 'submission' | 'lmtp';

/** These are for `web.ts`. */
export const isWeb = ({ protocol }: ListenerConfig): boolean => protocol === 'http' || protocol === 'https';

export type Listening = Listener & { protocol: ListenerConfig['protocol'] };

/** A connection that has been taken. */
interface Incoming {
  socket: Socket;
  listener: ListenerConfig;
  peer: Peer;
  tls: TlsInfo | undefined;
}

/** Starts all listeners; what must be stopped is left with `stack`. Rejects with the error of the first that fails. */
export async function startListeners(
  parts: ListenersParts,
  stack: AsyncDisposableStack,
): Promise<Listening[]> {
  const { config, log, certificates, gate } = parts;
  const trusted = networkSet(config.relay.trustedNetworks);
  const crowd = new Crowd(config.limits, log);
  const serve = serverFor(parts, trusted);

  const listening: Listening[] = [];
  for (const listener of config.listeners.filter((each) => !isWeb(each))) {
    const { protocol, address, port, socket } = listener;
    const implicit = protocol === 'submissions' || protocol === 'pop3s';
    const one = await listen({
      address,
      port,
      socket,
      implicitTls: implicit ? certificates?.users : undefined,
      proxies: listener.proxyProtocol && networkSet(listener.proxyProtocol),
      enter(peer) {
        if (protocol === 'lmtp' && !mayDeliver(trusted, peer))
          return { refusal: refusalText(protocol, config.hostname, 'LMTP is for trusted networks only') };
        const pass = gate.enter(peer);
        return pass.words === undefined
          ? pass
          : { refusal: refusalText(protocol, config.hostname, pass.words) };
      },
      log,
      serve(socket, peer, tls) {
        const session = serve({ socket, listener, peer, tls });
        crowd.add(session);
        parts.onSession?.(protocol, session.closed);
      },
    });
    // A listener is closed when its last connection is gone: sessions are ended meanwhile, not afterwards.
    stack.defer(async () => void (await Promise.all([one.close(), endAll(crowd.sessions)])));
    listening.push({ ...one, protocol });
  }
  return listening;
}

export async function endAll(sessions: ReadonlySet<OpenSession>): Promise<void> {
  for (const session of sessions) session.end('shutdown');
  await Promise.all([...sessions].map(({ closed }) => closed));
}

function refusalText(protocol: ListenerConfig['protocol'], hostname: string, words: string): string {
  return protocol.startsWith('pop3') ? `-ERR [SYS/TEMP] ${words}\r\n` : `421 4.7.0 ${hostname} ${words}\r\n`;
}

function serverFor(parts: ListenersParts, trusted: NetworkSet): (incoming: Incoming) => OpenSession {
  const openMailboxes = new Set<string>();
  return (incoming) =>
    incoming.listener.protocol.startsWith('pop3')
      ? servePop3(parts, openMailboxes, incoming)
      : serveSmtp(parts, isTrusted(trusted, incoming.peer), incoming);
}

/** A proxy that does not say whom it speaks for may speak for anybody: its own network says nothing. */
const isTrusted = (trusted: NetworkSet, { address, proxy }: Peer): boolean =>
  proxy?.speaksFor !== 'nobody' && trusted(address);

/** Who hands on what it has let in must be ours: by configuration, or on this machine. */
const mayDeliver = (trusted: NetworkSet, peer: Peer): boolean =>
  isTrusted(trusted, peer) || (peer.proxy === undefined && addressClass(peer.address) === 'loopback');

function serveSmtp(
  parts: ListenersParts,
  trusted: boolean,
  { socket, listener, peer, tls }: Incoming,
): OpenSession {
  const { config, clock, log, certificates } = parts;
  const { limits } = config;
  const via = viaOf(listener.protocol);
  const outside = via === 'smtp';
  const isOurUsers = via === 'submission';
  const machine = new SmtpSession({
    hostname: config.hostname,
    now: clock.now,
    startTls: certificates !== undefined,
    ...(tls && { tls }),
    lmtp: via === 'lmtp',
    auth: isOurUsers ? parts.logins.mechanisms() : [],
    ...(isOurUsers && { scheduling: { holdSeconds: limits.holdDays * 24 * 3600 } }),
    // Programs on trusted networks are as careless with line ends as our users' are, and are no smugglers.
    bareNewline: trusted || via === 'lmtp' ? 'normalize' : listener.bareNewline,
    ...limits,
  });
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
  let forgetGreeting = () => {};
  const greeting = (): Promise<undefined> =>
    new Promise((resolve) => {
      forgetGreeting = clock.after(limits.greetingDelayMs, () => {
        session.talkedEarly = machine.hasUnread;
        resolve(undefined);
      });
    });
  const isDelayed = outside && !trusted && limits.greetingDelayMs > 0;
  const conduct = via === 'lmtp' ? undefined : parts.conducts.of(peer);
  const application = new SmtpApplication(
    {
      ...parts,
      conduct,
      door: parts.doors[via],
      ...(isDelayed && { greeting }),
      ...(isOurUsers && { login: parts.logins.loginsOf(peer.address, conduct) }),
    },
    session,
  );
  const connection = new Connection(socket, {
    machine,
    application,
    tls: outside ? certificates?.servers : certificates?.users,
    limits,
    log,
  });
  void connection.closed.then(() => {
    forgetGreeting();
    conduct?.badCommands(machine.errors);
  });
  return connection;
}

function servePop3(
  parts: ListenersParts,
  openMailboxes: Set<string>,
  { socket, listener, peer, tls }: Incoming,
): OpenSession {
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
  const login = parts.logins.loginsOf(peer.address, conduct);
  const application = pop3Application({ login, maildirOf, openMailboxes, log }, peer);
  const connection = new Connection(socket, {
    machine,
    application,
    tls: certificates?.users,
    limits: config.limits,
    log,
  });
  void connection.closed.then(() => conduct?.badCommands(machine.faults));
  return connection;
}

function viaOf(protocol: ListenerConfig['protocol']): Via {
  return protocol === 'smtp' || protocol === 'lmtp' ? protocol : 'submission';
}
