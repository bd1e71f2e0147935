import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { visitTls } from '../testing/tls-visit.ts';
import { parseKeyPair } from './key-pair.ts';
import { Certificates, type Provided } from './tls-context.ts';

const authority = testAuthority();

function provided(...names: string[]): Provided {
  const { cert, key } = authority.issue(names);
  return { pair: parseKeyPair(cert, key), file: `${names[0]}.pem` };
}

function stage(...all: Provided[]): Certificates {
  const certificates = new Certificates('mx.example.com');
  certificates.replace('configuration', all);
  return certificates;
}

describe('Certificates', () => {
  const mx = provided('mx.example.com');
  const other = provided('mail.example.org', '*.example.net');

  it.each([
    ['mail.example.org', 'DNS:mail.example.org, DNS:*.example.net'],
    ['MAIL.example.ORG', 'DNS:mail.example.org, DNS:*.example.net'],
    ['anything.example.net', 'DNS:mail.example.org, DNS:*.example.net'],
    ['two.labels.example.net', 'DNS:mx.example.com'],
    ['unknown.example', 'DNS:mx.example.com'],
    [undefined, 'DNS:mx.example.com'],
  ])('show to who asks for %s the certificate of %s', async (servername, names) => {
    const certificates = stage(other, mx);
    expect(await visitTls(certificates.users, servername ? { servername } : {})).toMatchObject({ names });
  });

  it('prefer what is configured, then what an authority has issued, to what is signed by itself', () => {
    const [own, issued, configured] = [1, 2, 3].map(() => provided('mx.example.com'));
    const certificates = new Certificates('mx.example.com');
    const shown = () => certificates.certificateFor('mx.example.com');
    certificates.replace('self-signed', [own as Provided]);
    certificates.replace('configuration', [configured as Provided]);
    certificates.replace('acme', [issued as Provided]);
    expect(shown()).toBe(configured?.pair.certificate);
    certificates.replace('configuration', []);
    expect(shown()).toBe(issued?.pair.certificate);
    certificates.replace('acme', []);
    expect(shown()).toBe(own?.pair.certificate);
    expect(certificates.known()).toMatchObject([{ origin: 'self-signed', file: 'mx.example.com.pem' }]);
  });

  it('are replaced all at once, or not at all, and tell so', () => {
    const certificates = stage(mx);
    const heard = vi.fn();
    certificates.onChange(heard);
    const { cert } = authority.issue(['mx.example.com']);
    const broken = { ...mx, pair: { ...mx.pair, cert } };
    expect(() => certificates.replace('configuration', [other, broken])).toThrow();
    expect(certificates.known()).toHaveLength(1);
    expect(heard).not.toHaveBeenCalled();
    certificates.replace('configuration', [other, mx]);
    expect(heard).toHaveBeenCalledOnce();
  });

  it('say what a certificate is made of, and the digest of its key as DANE wants it', () => {
    const spki = mx.pair.certificate.publicKey.export({ type: 'spki', format: 'der' });
    expect(stage(mx).known()).toMatchObject([
      {
        names: ['mx.example.com'],
        issuer: 'Posthorn test authority',
        isSelfSigned: false,
        spkiSha256: createHash('sha256').update(spki).digest('hex'),
      },
    ]);
  });

  it('have nothing to show where there is none', () => {
    expect(() => new Certificates('mx.example.com').contextFor(undefined)).toThrow('no certificate');
  });
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('Sessions under %s', (version) => {
  const servername = 'mail.example.org';
  const versions = { minVersion: version, maxVersion: version };

  it('are taken up again after the certificates were replaced', async () => {
    const certificates = stage(provided('mx.example.com'), provided(servername));
    const { session } = await visitTls(certificates.users, { servername, ...versions });
    certificates.replace('configuration', [provided('mx.example.com'), provided(servername)]);
    const again = await visitTls(certificates.users, {
      servername,
      ...versions,
      ...(session !== undefined && { session }),
    });
    expect(again.resumed).toBe(true);
  });
});

it('A session is taken up again by certificates of another reading of the configuration', async () => {
  const ticketKeys = randomBytes(48);
  const [before, after, strange] = [ticketKeys, ticketKeys, randomBytes(48)].map((keys) => {
    const certificates = new Certificates('mx.example.com', keys);
    certificates.replace('configuration', [provided('mx.example.com')]);
    return certificates.users;
  });
  if (!before || !after || !strange) throw new Error('there are three');
  const { session } = await visitTls(before);
  const again = { ...(session !== undefined && { session }) };
  expect(await visitTls(after, again)).toMatchObject({ resumed: true });
  expect(await visitTls(strange, again)).toMatchObject({ resumed: false });
});

it('A session that is taken up again is bound to the certificate of the name it asked for', async () => {
  const certificates = stage(provided('mx.example.com'), provided('mail.example.org'));
  const servername = 'mail.example.org';
  const { session } = await visitTls(certificates.users, { servername });
  const again = await visitTls(certificates.users, { servername, ...(session !== undefined && { session }) });
  expect(again.resumed).toBe(true);
  const { raw } = certificates.certificateFor(servername);
  expect(again.endPoint).toEqual(createHash('sha256').update(raw).digest());
});
