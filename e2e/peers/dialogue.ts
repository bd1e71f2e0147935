/** SMTP spoken by hand: any bytes in any order, which no well-behaved client would send. */

import { connect, type Socket } from 'node:net';

export interface Dialogue {
  readonly socket: Socket;
  /** Sends bytes as they are; strings are latin1. Resolves when the kernel has taken them, or the peer is gone. */
  send(bytes: string | Buffer): Promise<void>;
  /** The next whole reply, lines joined by `\n`; rejects if the peer closes before it or after `limitMs`. */
  reply(limitMs?: number): Promise<string>;
  /** Sends a line and waits for its reply. */
  say(line: string): Promise<string>;
  /** Resolves to everything the peer still says until it closes. */
  rest(limitMs?: number): Promise<string>;
  close(): void;
}

/** Connects to a port of 127.0.0.1 and reads nothing yet, not even the greeting. */
export async function openDialogue(port: number): Promise<Dialogue> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const dialogue = talkOver(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return dialogue;
}

/** The same over a socket that was opened in another way: over TLS, from another address. */
export function talkOver(socket: Socket): Dialogue {
  socket.setEncoding('latin1');
  let text = '';
  let ended = false;
  let wake = () => {};
  const changed = () => {
    wake();
  };
  socket.on('data', (chunk: string) => {
    text += chunk;
    changed();
  });
  socket.on('error', () => {}); // 'close' follows, and is what matters.
  socket.on('close', () => {
    ended = true;
    changed();
  });
  /** Looks at what came whenever more comes. */
  const until = <T>(look: () => T | undefined, what: string, limitMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what} within ${limitMs} ms; so far: ${text}`)),
        limitMs,
      );
      wake = () => {
        const found = look();
        if (found === undefined && !ended) return;
        clearTimeout(timer);
        if (found === undefined) reject(new Error(`closed before a ${what}; so far: ${text}`));
        else resolve(found);
      };
      wake();
    });

  const takeReply = () => {
    const match = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(text);
    if (match === null) return undefined;
    text = text.slice(match[0].length);
    return match[0].trimEnd().replaceAll('\r\n', '\n');
  };
  const send = (bytes: string | Buffer) =>
    new Promise<void>((resolve) => {
      if (ended) return resolve();
      socket.once('close', resolve);
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
        socket.off('close', resolve);
        resolve();
      });
    });
  const reply = (limitMs = 20_000) => until(takeReply, 'reply', limitMs);
  return {
    socket,
    send,
    reply,
    say: async (line) => {
      await send(`${line}\r\n`);
      return reply();
    },
    rest: (limitMs = 20_000) => until(() => (ended ? text : undefined), 'close', limitMs),
    close: () => socket.destroy(),
  };
}

/** Opens a dialogue and goes through it up to the reply to EHLO. */
export async function greet(port: number): Promise<Dialogue> {
  const dialogue = await openDialogue(port);
  await dialogue.reply();
  await dialogue.say('EHLO client.example.org');
  return dialogue;
}

export interface Envelope {
  from: string;
  to: readonly string[];
  /** Parameters of MAIL, and of each RCPT. */
  asking?: string;
  askingForEach?: string;
}

/** A whole transaction in an open dialogue; the reply to the end of data, or the first refusal before it. */
export async function transact(dialogue: Dialogue, envelope: Envelope, content: Buffer): Promise<string> {
  const { from, to, asking = '', askingForEach = '' } = envelope;
  const recipients = to.map((each) => `RCPT TO:<${each}> ${askingForEach}`.trimEnd());
  for (const line of [`MAIL FROM:<${from}> ${asking}`.trimEnd(), ...recipients, 'DATA']) {
    const reply = await dialogue.say(line);
    if (/^[45]/.test(reply)) return reply;
  }
  await dialogue.send(stuff(content));
  await dialogue.send('.\r\n');
  return dialogue.reply();
}

/** One message over a connection of its own. */
export async function deliver(port: number, envelope: Envelope, content: Buffer): Promise<string> {
  const dialogue = await greet(port);
  try {
    return await transact(dialogue, envelope, content);
  } finally {
    dialogue.close();
  }
}

/** RFC 5321 §4.5.2. */
const stuff = (content: Buffer): Buffer =>
  Buffer.from(content.toString('latin1').replace(/^\./gm, '..'), 'latin1');
