/**
 * A Resolver in memory for tests: answers from a zone's plain data through the real message codec, fails where the
 * script says so, and remembers what it was asked.
 */

import { decodeResponse, encodeQuery, failed, type Question } from '../dns/message.ts';
import { canonicalName } from '../dns/name.ts';
import type { Answer, RecordType, RecordTypes, Resolver } from '../dns/resolver.ts';
import { respond } from '../dns/respond.ts';
import { type Zone, zone } from '../dns/zone.ts';
import type { ZoneData } from '../dns/zone-data.ts';

export interface Script {
  /** By name, or by name and type: `{ 'example.net': 'timeout', 'example.org MX': 'servfail' }`. */
  failures?: Readonly<Record<string, 'servfail' | 'timeout'>>;
  /** Names, with all below them, whose answers count as proven by DNSSEC; true for all. */
  authentic?: true | readonly string[];
}

export interface ScriptedResolver extends Resolver {
  /** Every question so far, in order. */
  readonly questions: readonly Question[];
  /** From now on answers from other data: the world has changed. */
  rewrite(data: ZoneData, script?: Script): void;
}

const details = { servfail: 'SERVFAIL (scripted)', timeout: 'no reply in time (scripted)' };

export function scriptedResolver(data: ZoneData, script: Script = {}): ScriptedResolver {
  const questions: Question[] = [];
  let world = { zone: zone(data), script };
  return {
    questions,
    rewrite(data, script = {}) {
      world = { zone: zone(data), script };
    },
    async resolve(name, type, signal) {
      signal?.throwIfAborted();
      const question = { name: canonicalName(name), type };
      questions.push(question);
      const failure =
        world.script.failures?.[`${question.name} ${type}`] ?? world.script.failures?.[question.name];
      if (failure !== undefined) return failed(details[failure]);
      const answer = answerFrom(world.zone, question);
      return answer.status === 'failed'
        ? answer
        : { ...answer, authentic: isAuthentic(question.name, world.script) };
    },
  };
}

/** As the stub would get it from a server, without the sockets. */
function answerFrom<T extends RecordType>(source: Zone, question: Question<T>): Answer<RecordTypes[T]> {
  const query = encodeQuery(0, question);
  if (query === undefined) return { status: 'none', reason: 'nxdomain', ttl: 0, authentic: false };
  const reply = respond(source, query, 'tcp');
  const reading = reply === undefined ? 'foreign' : decodeResponse(reply, 0, question);
  return typeof reading === 'string' ? failed(`a ${reading} reply`) : reading;
}

function isAuthentic(name: string, { authentic = [] }: Script): boolean {
  return authentic === true || authentic.some((signed) => name === signed || name.endsWith(`.${signed}`));
}
