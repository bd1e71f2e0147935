/**
 * What the exit code of a program that was given a message means: those of sysexits.h, as sendmail's local mailers have
 * used them since, and 100, by which qmail-command(8) refuses. A code that blames nothing on the message defers it: a
 * script that breaks must not send everybody's mail back.
 */

export interface ExitMeaning {
  kind: 'delivered' | 'deferred' | 'failed';
  /** RFC 3463. */
  status: string;
  /** What it stands for, in words. */
  words: string;
}

const meanings: Readonly<Record<number, ExitMeaning>> = {
  0: { kind: 'delivered', status: '2.0.0', words: 'taken' },
  64: { kind: 'deferred', status: '4.3.5', words: 'the command is used wrongly' },
  65: { kind: 'failed', status: '5.6.0', words: 'the message is not as it should be' },
  66: { kind: 'deferred', status: '4.3.0', words: 'it cannot open its input' },
  67: { kind: 'failed', status: '5.1.1', words: 'there is no such user' },
  68: { kind: 'failed', status: '5.1.2', words: 'there is no such host' },
  69: { kind: 'failed', status: '5.3.0', words: 'the service is not available' },
  70: { kind: 'deferred', status: '4.3.0', words: 'an internal error' },
  71: { kind: 'deferred', status: '4.3.0', words: 'an error of the operating system' },
  72: { kind: 'deferred', status: '4.3.0', words: 'a system file is missing' },
  73: { kind: 'deferred', status: '4.2.0', words: 'it cannot create its output' },
  74: { kind: 'deferred', status: '4.3.0', words: 'an error of reading or writing' },
  75: { kind: 'deferred', status: '4.3.0', words: 'a temporary failure' },
  76: { kind: 'failed', status: '5.5.0', words: 'an error of protocol' },
  77: { kind: 'failed', status: '5.7.0', words: 'permission denied' },
  78: { kind: 'deferred', status: '4.3.5', words: 'an error of configuration' },
  100: { kind: 'failed', status: '5.3.0', words: 'refused for good' },
};

export const exitMeaning = (code: number): ExitMeaning =>
  meanings[code] ?? { kind: 'deferred', status: '4.3.0', words: 'nobody knows what it means' };
