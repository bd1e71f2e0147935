import { describe, expect, it, test } from 'vitest';
import { completeHeader } from './complete.ts';

const completion = { from: 'bob@example.com', date: 0, messageId: '<1@example.com>' };

const complete = (header: string) => {
  const { prefix, header: rest, ...names } = completeHeader(Buffer.from(header), completion);
  return { prefix: prefix.toString(), header: rest.toString(), ...names };
};

const all = 'Date: never\r\nMessage-Id: what\r\nFrom : x\r\n';

describe('completeHeader()', () => {
  it('M3: adds a missing Date, Message-ID and From, and nothing else', () => {
    expect(complete('Subject: x\r\n\r\n')).toEqual({
      prefix:
        'Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nFrom: bob@example.com\r\n',
      header: 'Subject: x\r\n\r\n',
      added: ['date', 'message-id', 'from'],
      removed: [],
    });
  });

  it('adds no From where nobody is known to have sent it', () => {
    const nobody = { ...completion, from: '' };
    expect(completeHeader(Buffer.from('Subject: x\r\n\r\n'), nobody).added).toEqual(['date', 'message-id']);
  });

  test.each(['Date', 'Message-Id', 'From '])('M3: keeps a %s that is there, whatever it says', (name) => {
    const { added } = complete(`${name}:\r\n\r\n`);
    expect(added).not.toContain(name.trim().toLowerCase());
    expect(added).toHaveLength(2);
  });

  it('not-9: gives a complete header back octet for octet', () => {
    const header = Buffer.from(`${all}X:  odd \t\r\n   fold\r\nno field\r\n\r\n`);
    const completed = completeHeader(header, completion);
    expect(completed.header).toBe(header);
    expect(completed.prefix).toHaveLength(0);
  });

  it('M3: takes out Bcc and Resent-Bcc with their folds, and no other octet', () => {
    const { header, prefix, removed } = complete(
      `${all}BCC: a@b,\r\n c@d\r\nX: y\r\nResent-Bcc :e@f\r\nBcc:\r\n\r\n`,
    );
    expect(header).toBe(`${all}X: y\r\n\r\n`);
    expect(prefix).toBe('');
    expect(removed).toEqual(['bcc', 'resent-bcc', 'bcc']);
  });
});
