import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { scriptedPeer } from '../testing/scripted-peer.ts';
import { systemClock } from '../util/clock.ts';
import { socketDialler } from './conversation.ts';

const dial = socketDialler({ clock: systemClock });

/** A server that never reads. */
async function deafServer() {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: { host: 'mx.example.net', address: '127.0.0.1', port },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('socketDialler()', () => {
  it('not-5: a refused connection is a ConversationError', async () => {
    const { endpoint } = await freed();
    await expect(dial(endpoint, { timeoutMs: 1000 })).rejects.toMatchObject({
      name: 'ConversationError',
      kind: 'connect',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('stops when the signal is aborted', async () => {
    await using peer = await scriptedPeer(['']);
    const stop = new AbortController();
    const dialled = dial(peer.endpoint, { timeoutMs: 1000, signal: stop.signal });
    stop.abort();
    await expect(dialled).rejects.toMatchObject({ kind: 'aborted' });
    await expect(dial(peer.endpoint, { timeoutMs: 1000, signal: stop.signal })).rejects.toMatchObject({
      kind: 'aborted',
    });
  });
});

/** An endpoint where nobody listens any more. */
async function freed() {
  await using server = await deafServer();
  return { endpoint: server.endpoint };
}

describe('a conversation', () => {
  it('P14: records what both sides say, without secrets', async () => {
    await using peer = await scriptedPeer([
      'S: 220-mx\nS: 220 ready\nC: AUTH PLAIN AGEAYg==\nS: 235 2.7.0 ok',
    ]);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    await conversation.reply(1000);
    conversation.send(['AUTH PLAIN AGEAYg==']);
    await conversation.reply(1000);
    conversation.close();
    const lines = conversation.dialogue.excerpt().lines.map(([, line]) => line);
    expect(lines).toEqual(['S: 220-mx', 'S: 220 ready', 'C: AUTH PLAIN ***', 'S: 235 2.7.0 ok']);
  });

  it('sends no line that is two', async () => {
    await using peer = await scriptedPeer(['']);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    expect(() => conversation.send(['RCPT TO:<a\r\nDATA\r\n@b>'])).toThrow('not one line');
    conversation.close();
  });

  it('not-11: gives up writing when the other side does not read', async () => {
    await using server = await deafServer();
    const conversation = await dial(server.endpoint, { timeoutMs: 1000 });
    const block = Buffer.alloc(1 << 20);
    const writing = async () => {
      for (;;) await conversation.sendContent([block], 30);
    };
    await expect(writing()).rejects.toMatchObject({ kind: 'timeout' });
    await expect(conversation.reply(30)).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('ends when the other side talks without being asked', async () => {
    const chatter = 'S! 250 '.padEnd(2000, 'x');
    await using peer = await scriptedPeer([Array(200).fill(chatter).join('\n')]);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    // The peer hears of it by the end of the connection, and has then played all of its script.
    await peer.played();
    expect(conversation.quiet).toBe(false);
    for (let replies = 0; replies < 200; replies++) {
      const failed = await conversation.reply(1000).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed === undefined) continue;
      expect(failed).toMatchObject({ kind: 'protocol' });
      return;
    }
    throw new Error('all was taken');
  });

  it('is not quiet once the other side has hung up', async () => {
    await using peer = await scriptedPeer(['S: 220 mx\n== hang up']);
    const conversation = await dial(peer.endpoint, { timeoutMs: 1000 });
    await conversation.reply(1000);
    await expect(conversation.reply(1000)).rejects.toMatchObject({ kind: 'closed' });
    expect(conversation.quiet).toBe(false);
  });
});
