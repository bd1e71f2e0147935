/** What we were doing, for people who know no SMTP. Words only; a phase that is not here speaks for itself. */

const inWords: Record<string, string> = {
  connecting: 'calling its server',
  'waiting for the greeting': 'waiting for its server to answer the call',
  'sending EHLO': 'introducing ourselves to its server',
  'sending HELO': 'introducing ourselves to its server',
  'sending STARTTLS': 'asking for an encrypted connection',
  'negotiating TLS': 'agreeing on an encrypted connection',
  'sending RSET': 'beginning a message',
  'sending MAIL FROM': 'naming you as the sender',
  'sending RCPT TO': 'naming the recipient',
  'sending DATA': 'asking to hand the message over',
  'sending the message': 'handing the message over',
  'sending end of data': 'the whole message was there: waiting to hear whether it is accepted',
};

/** `naming the recipient (sending RCPT TO)`. */
export function phaseText(phase: string): string {
  const [key = ''] = phase.split(':');
  const words = inWords[key];
  return words === undefined ? phase : `${words} (${phase})`;
}
