/** What a conversation says in its record, and of its end: no secrets, and few words. */

import type { ConversationFailure } from '../smtp/conversation.ts';

/** OpenSSL's messages are long and name source files; its `reason` says it in three words. */
export function failureText(stage: ConversationFailure, error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return stage === 'tls' ? `the TLS handshake failed: ${reason}` : reason;
}

/** The credentials that AUTH carries are nobody's business (RFC 4954 §4). */
export function withoutSecrets(command: string): string {
  return command.replace(/^(AUTH \S+) .+$/i, '$1 ***');
}
