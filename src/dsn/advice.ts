/** What a person can do about a failure, by the subject of its enhanced status (RFC 3463 §3). Words only. */

const bySubject: Record<string, string> = {
  '1': 'Check the address for typing mistakes, and ask the recipient for the right one.',
  '2': "The recipient's mailbox cannot take mail now. Ask the recipient by another way, and send again later.",
  '3': "The recipient's mail system cannot take the message. Its postmaster can say why.",
  '4': "The recipient's mail system could not be reached. Check the part after the @, and send again later.",
  '5': 'The two mail systems did not understand each other. Your postmaster can find out why.',
  '6': "The recipient's mail system does not accept the message as it is written. Send it in another form.",
  '7': "The recipient's mail system refuses the message. Its answer above may say why; your postmaster can help.",
};

const general = 'Your postmaster can find out why.';

/** One sentence or two, in ASCII, for a status such as `5.1.1`. */
export function adviceFor(status: string): string {
  if (status === '5.3.4' || status === '5.2.3')
    return 'The message is too large for the recipient. Send less at once.';
  if (status === '4.4.7')
    return "There was more mail for the recipient's mail system than it takes. Send again later, or ask your postmaster.";
  if (/^[45]\.7\.(?:10|30)$/.test(status))
    return "You asked for protection by TLS all the way, and the recipient's mail system cannot do that. Send it without, or by another way.";
  if (/^[45]\.7\.5$/.test(status))
    return "The recipient's mail system asks for a protection by TLS that it does not show itself. Its postmaster can put that right.";
  return bySubject[status.split('.')[1] ?? ''] ?? general;
}
