/**
 * A client that only measures how long a server takes from the end of a message's data to its reply: one session, one
 * message after the other, until it is told to stop. Assumes PIPELINING (RFC 2920), which every server here offers.
 */

import { connect, type Socket } from 'node:net';

export interface Session {
  /** Sends until `until` (performance.now()); resolves to the milliseconds of each message. */
  measure(until: number): Promise<number[]>;
  close(): void;
}

export interface SessionOptions {
  port: number;
  sizeBytes: number;
}

const envelope = 'MAIL FROM:<sender@example.org>\r\nRCPT TO:<recipient@example.net>\r\nDATA\r\n';
const lineOctets = 80;

/** Resolves when the server has answered EHLO. */
export async function openSession({ port, sizeBytes }: SessionOptions): Promise<Session> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const reply = replies(socket);
  const content = message(sizeBytes);
  expect(220, await reply());
  socket.write('EHLO client.example.org\r\n');
  expect(250, await reply());
  const sendOne = async (): Promise<number> => {
    socket.write(envelope);
    for (const code of [250, 250, 354]) expect(code, await reply());
    const startedAt = performance.now();
    socket.write(content);
    expect(250, await reply());
    return performance.now() - startedAt;
  };
  return {
    measure: async (until) => {
      const times: number[] = [];
      while (performance.now() < until) times.push(await sendOne());
      return times;
    },
    close: () => socket.destroy(),
  };
}

/** A reader of reply codes, one whole reply a call. Rejects when the connection ends. */
function replies(socket: Socket): () => Promise<number> {
  let text = '';
  let over: Error | undefined;
  let wake = () => {};
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('error', (error) => {
    over = error;
  });
  socket.on('close', () => {
    over ??= new Error('the server closed the connection');
    wake();
  });
  return async () => {
    for (;;) {
      const code = takeReply();
      if (code !== undefined) return code;
      if (over !== undefined) throw over;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  function takeReply(): number | undefined {
    const last = /^(?:\d{3}-.*\r\n)*(\d{3})(?: .*)?\r\n/.exec(text);
    if (last === null) return undefined;
    text = text.slice(last[0].length);
    return Number(last[1]);
  }
}

function expect(code: number, got: number): void {
  if (got !== code) throw new Error(`the server answered ${got} where ${code} was expected`);
}

function message(sizeBytes: number): string {
  const line = `${'X'.repeat(lineOctets - 2)}\r\n`;
  const header = 'From: <sender@example.org>\r\nTo: <recipient@example.net>\r\nSubject: latency\r\n';
  const body = line.repeat(Math.ceil(sizeBytes / lineOctets)).slice(0, Math.max(2, sizeBytes - 2));
  const complete = 'Date: Mon, 21 Nov 2022 10:00:00 +0000\r\nMessage-ID: <latency@example.org>\r\n';
  return `${header}${complete}\r\n${body.replace(/\r?\n?$/, '')}\r\n.\r\n`;
}
