/**
 * Explains the lines of an SMTP dialogue to someone who reads one for the first time. Looks at text only, a line at a
 * time, and remembers which commands wait for their replies: with PIPELINING (RFC 2920) several may, in order. A line
 * that it does not know gets no comment.
 */

/** Comments on one dialogue, to be asked for each of its lines (`S: …`, `C: …`) in order. */
export type Commentator = (line: string) => string | undefined;

interface Heard {
  /** Commands without their reply yet, oldest first. */
  awaiting: string[];
  lastCommand: string;
  begun: boolean;
  encrypted: boolean;
}

export function commentator(): Commentator {
  const heard: Heard = { awaiting: [], lastCommand: '', begun: false, encrypted: false };
  return (line) => {
    const text = line.slice(3);
    const comment = line.startsWith('C: ') ? commentOnCommand(text, heard) : commentOnReply(text, heard);
    heard.begun = true;
    return comment;
  };
}

/** What is awaited after the message itself: its reply is the one that counts. */
const message = 'message';

/** RFC 5321 §4.1.1, and the commands of RFC 3030, 3207 and 4954. */
const commandComments: Record<string, string> = {
  EHLO: 'the client introduces itself and asks what the server can do',
  LHLO: 'the client introduces itself; this server will answer for each recipient at the end (LMTP)',
  HELO: 'the client introduces itself, in the old way: no extensions',
  STARTTLS: 'the client asks for an encrypted connection',
  AUTH: 'the client proves which account it is; what it says is not kept here',
  MAIL: 'a new message; this is who hears of a failure',
  RCPT: 'one recipient; the server answers for each of them alone',
  DATA: 'the client asks to send the message itself',
  BDAT: 'a piece of the message, its length told beforehand',
  RSET: 'the client forgets the message it began',
  QUIT: 'the client says goodbye',
};

function commentOnCommand(text: string, heard: Heard): string | undefined {
  if (text === '.') return endOfMessage(heard);
  if (text.startsWith('(')) {
    // Octets that are not kept. After BDAT their reply is awaited already.
    if (heard.awaiting.length === 0) heard.awaiting.push(message);
    return undefined;
  }
  const verb = (/^\S+/.exec(text)?.[0] ?? '').toUpperCase();
  const isLast = verb === 'BDAT' && /\bLAST\b/i.test(text);
  heard.awaiting.push(isLast ? message : verb);
  const repeated = verb === heard.lastCommand;
  heard.lastCommand = verb;
  if (verb === 'EHLO' && heard.encrypted)
    return 'once more, encrypted: what was said before counts no longer';
  return repeated ? undefined : commandComments[verb];
}

function endOfMessage(heard: Heard): string {
  if (heard.awaiting.at(-1) !== message) heard.awaiting.push(message);
  return 'a dot alone: here the message ends';
}

function commentOnReply(text: string, heard: Heard): string | undefined {
  if (text[3] === '-') return undefined; // more lines follow; the last one gets the comment
  const code = text.slice(0, 3);
  const answered = heard.awaiting.shift();
  if (code === '220' && !heard.begun) return 'connected: the server greets';
  if (code === '220' && answered === 'STARTTLS') {
    heard.encrypted = true;
    return 'agreed; the TLS handshake happens here';
  }
  if (code === '354') return 'go ahead';
  if (code === '334') return 'the server asks for proof; neither question nor answer is kept here';
  if (code === '235') return 'the server knows now who we are';
  // Until this reply is there, the message is still the sender's (RFC 5321 §4.2.5).
  if (code.startsWith('2') && answered === message)
    return 'taken: from here on the server is responsible for it';
  return trouble(code);
}

function trouble(code: string): string | undefined {
  if (code.startsWith('4')) return '"not now": worth another try later';
  if (code.startsWith('5')) return '"no, and do not ask again"';
  return undefined;
}
