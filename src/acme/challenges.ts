/** What an authority is to find when it looks whether a name is ours by HTTP (RFC 8555 §8.3): a token and its answer. */

/** Under way at once; more than a server has names is a fault. */
const maxTokens = 1000;

export class Challenges {
  readonly #answers = new Map<string, string>();

  /** What stands at `/.well-known/acme-challenge/TOKEN`; undefined: nothing does. */
  respondTo(token: string): string | undefined {
    return this.#answers.get(token);
  }

  /** Returns how to take it away again. */
  present(token: string, keyAuthorization: string): () => void {
    if (this.#answers.size >= maxTokens) throw new Error('too many challenges are under way');
    this.#answers.set(token, keyAuthorization);
    return () => this.#answers.delete(token);
  }
}
