/** The doors for mail (reception/) with a real session in front: a test says what a client would, or sends a letter. No socket. */

import type { TlsInfo } from '../net/machine.ts';
import type { Session } from '../reception/door.ts';
import { inboundDoor } from '../reception/inbound.ts';
import { lmtpDoor } from '../reception/lmtp.ts';
import { logins } from '../reception/login.ts';
import { SmtpApplication } from '../reception/smtp-application.ts';
import { submissionDoor } from '../reception/submission.ts';
import type { Reply } from '../smtp/reply.ts';
import { SmtpSession } from '../smtp/session.ts';
import type { SmtpEvent } from '../smtp/session-options.ts';
import { readContent } from '../store/content.ts';
import { queueIds } from '../util/queue-id.ts';
import { type Accepted, BehindDoors, hostname, type ReceptionSetup } from './behind-doors.ts';
import { impatientClock } from './fake-clock.ts';
import type { Served } from './transcript.ts';

const tls: TlsInfo = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

const authenticate = async (account: string, password: string) =>
  password === 'secret' ? { account } : undefined;

export class TestReception extends BehindDoors {
  readonly #nextQueueId: () => string;

  constructor(setup: ReceptionSetup) {
    super(setup);
    this.#nextQueueId = queueIds(this.clock.now, () => 0);
  }

  /** Takes a connection. */
  readonly serve = (): Served<SmtpEvent, Reply | undefined> => {
    const {
      via,
      account,
      talkedEarly,
      trusted = false,
      clientAddress = '192.0.2.1',
      recipients = 5,
    } = this.setup;
    const machine = new SmtpSession({
      hostname,
      now: this.clock.now,
      startTls: true,
      ...(account !== undefined && { tls }),
      lmtp: via === 'lmtp',
      auth: via === 'submission' ? ['PLAIN', 'LOGIN'] : [],
      bareNewline: via === 'submission' ? 'normalize' : 'reject',
      messageBytes: 1_000_000,
      recipients,
      commands: 100,
    });
    const session: Session = {
      via,
      peer: { address: clientAddress, port: 4321, localAddress: '192.0.2.25', localPort: 25 },
      trusted,
      tls: account === undefined ? undefined : tls,
      hello: undefined,
      account,
      ...(talkedEarly !== undefined && { talkedEarly }),
      commandsHeard: () => machine.commandsHeard,
      dialogue: () => machine.dialogue.excerpt(),
    };
    return { machine, application: new SmtpApplication(this.#applicationParts(), session) };
  };

  /** Says everything on one connection; resolves to the last line of each reply. */
  async say(...lines: string[]): Promise<string[]> {
    const { machine, application } = this.serve();
    machine.receive(Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'));
    let said = '';
    for (let event = machine.next(); event !== undefined; event = machine.next())
      machine.reply(await application.handle(event));
    said += machine.output()?.toString() ?? '';
    application.closed();
    return said.split('\r\n').filter((line) => /^\d{3} /.test(line));
  }

  /** Sends a message; resolves to the reply to its end, or to what came instead. */
  async send(letter: {
    from: string;
    to: string | string[];
    content: string;
    helo?: string;
  }): Promise<string> {
    const { from, to, content, helo = 'client.example' } = letter;
    const recipients = [to].flat().map((each) => `RCPT TO:<${each}>`);
    const body = content.replace(/\r\n$/, '').replace(/^\./gm, '..');
    const hello = this.setup.via === 'lmtp' ? 'LHLO' : 'EHLO';
    const replies = await this.say(
      `${hello} ${helo}`,
      `MAIL FROM:<${from}>`,
      ...recipients,
      'DATA',
      body,
      '.',
    );
    return replies.at(-1) ?? '';
  }

  /** The one message that was accepted, as the queue has it. */
  async theMessage(): Promise<{ text: string; entry: Accepted }> {
    const [entry, another] = this.accepted;
    if (entry === undefined || another !== undefined)
      throw new Error(`${this.accepted.length} messages instead of one. ${JSON.stringify(this.logged)}`);
    const chunks = [entry.message.prefix];
    for await (const chunk of readContent(entry.message.content)) chunks.push(chunk);
    return { text: Buffer.concat(chunks).toString('latin1'), entry };
  }

  #applicationParts() {
    const { via, conduct } = this.setup;
    const parts = this.doorParts();
    const door = {
      smtp: () => inboundDoor(parts),
      submission: () => submissionDoor(parts),
      lmtp: () => lmtpDoor(parts),
    }[via]();
    const log = this.log();
    const login =
      this.setup.login ?? logins({ authenticate, clock: impatientClock().clock, log })('192.0.2.1', conduct);
    return { door, directory: parts.directory, login, conduct, nextQueueId: this.#nextQueueId, log };
  }
}
