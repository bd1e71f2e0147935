/** Answers in a line of text. */

import type { FastifyReply } from 'fastify';

export const say = (reply: FastifyReply, status: number, words: string): FastifyReply =>
  reply.code(status).type('text/plain; charset=utf-8').header('cache-control', 'no-store').send(`${words}\n`);

export const nothingHere = (reply: FastifyReply): FastifyReply => say(reply, 404, 'There is nothing here.');
