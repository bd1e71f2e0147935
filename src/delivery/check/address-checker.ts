/**
 * Address checks as a running server makes them for its operator (M11): answers are remembered for a while, the same
 * question is asked once, and receivers are not asked so often that they take us for a harvester.
 */

import { addressKey, parseAddress } from '../../mail/address.ts';
import { type AddressCheck, type CheckParts, checkAddress } from './check-address.ts';

export interface CheckLimits {
  /** Checks that are not answered from memory, in an hour. */
  perHour: number;
  /** Of these, about addresses of one domain. */
  perDomainAndHour: number;
  /** Answers that are remembered. */
  remembered: number;
  /** How long a clear answer counts. */
  clearMs: number;
  /** The same for one that tells nothing. */
  unclearMs: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const defaultCheckLimits: CheckLimits = {
  perHour: 300,
  perDomainAndHour: 30,
  remembered: 1000,
  clearMs: hourMs,
  unclearMs: 5 * minuteMs,
};

/** Why it is not checked now. */
export interface NotChecked {
  notChecked: 'too many' | 'stopping';
  /** For people: what to do. */
  text: string;
}

const tooMany = (text: string): NotChecked => ({ notChecked: 'too many', text });
const stopping: NotChecked = { notChecked: 'stopping', text: 'The server stops. Ask again when it runs.' };

export class AddressChecker {
  readonly #parts: CheckParts;
  readonly #limits: CheckLimits;
  readonly #answers = new Map<string, AddressCheck>();
  readonly #underWay = new Map<string, Promise<AddressCheck | NotChecked>>();
  /** When each check of the last hour began, and of which domain. */
  #recent: { at: number; domain: string }[] = [];
  readonly #stop = new AbortController();

  constructor(parts: CheckParts, limits: CheckLimits = defaultCheckLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** `fresh`: what is remembered does not do. */
  async check(text: string, { fresh = false }: { fresh?: boolean } = {}): Promise<AddressCheck | NotChecked> {
    const address = parseAddress(text);
    // Nobody is asked, and what our own accounts are may change at any time.
    if (address === undefined || (await this.#parts.findOwn?.(address)) !== undefined)
      return checkAddress(this.#parts, text);
    const key = addressKey(address);
    const known = this.#answers.get(key);
    if (!fresh && known !== undefined && this.#isFresh(known)) return known;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const refusal = this.#findRefusal(address.domain);
    return refusal ?? this.#begin(key, text);
  }

  /** What is under way is broken off. */
  stop(): void {
    this.#stop.abort();
  }

  #isFresh({ verdict, checkedAt }: AddressCheck): boolean {
    const { clearMs, unclearMs } = this.#limits;
    return this.#parts.clock.now() < checkedAt + (verdict === 'cannot tell' ? unclearMs : clearMs);
  }

  #findRefusal(domain: string): NotChecked | undefined {
    const { perHour, perDomainAndHour } = this.#limits;
    const now = this.#parts.clock.now();
    this.#recent = this.#recent.filter(({ at }) => at > now - hourMs);
    const ofDomain = this.#recent.filter((each) => each.domain === domain);
    const again = ([oldest]: { at: number }[]) =>
      `Ask again in ${Math.max(1, Math.ceil(((oldest?.at ?? now) + hourMs - now) / minuteMs))} min.`;
    if (this.#recent.length >= perHour)
      return tooMany(`${perHour} addresses have been checked within an hour. ${again(this.#recent)}`);
    if (ofDomain.length >= perDomainAndHour) {
      const text = `${perDomainAndHour} addresses of ${domain} have been checked within an hour`;
      return tooMany(`${text}; more could get us refused there. ${again(ofDomain)}`);
    }
    this.#recent.push({ at: now, domain });
    return undefined;
  }

  #begin(key: string, text: string): Promise<AddressCheck | NotChecked> {
    const { signal } = this.#stop;
    const answer = checkAddress(this.#parts, text, signal)
      .then((found) => this.#remember(key, found))
      .catch((error) => {
        if (signal.aborted) return stopping;
        throw error;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    return answer;
  }

  #remember(key: string, found: AddressCheck): AddressCheck {
    this.#answers.delete(key);
    this.#answers.set(key, found);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > this.#limits.remembered && oldest !== undefined) this.#answers.delete(oldest);
    return found;
  }
}
