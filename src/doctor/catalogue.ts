/**
 * Everything that the doctor can find wrong, by its id: how bad it is, what it is about, what it means. An id never changes
 * its meaning: monitoring relies on it. docs/DOCTOR.md has the same table.
 */

/** `error`: mail is lost, refused or exposed by it. `warning`: it will be, or some receivers mind. `note`: to know. */
export type Severity = 'good' | 'note' | 'warning' | 'error';

export interface CatalogueEntry {
  severity: Exclude<Severity, 'good'>;
  /** Of what, in a few words. */
  what: string;
  meaning: string;
}

const error = (what: string, meaning: string): CatalogueEntry => ({ severity: 'error', what, meaning });
const warning = (what: string, meaning: string): CatalogueEntry => ({ severity: 'warning', what, meaning });
const note = (what: string, meaning: string): CatalogueEntry => ({ severity: 'note', what, meaning });

const entries = {
  // The zone and those who ask for it.
  'zone-not-found': error(
    'DNS',
    'no zone with the domain is found: not registered, expired, or not delegated',
  ),
  'zone-one-server': warning(
    'name servers',
    'only one name server has the zone, so that its failure is the domain’s',
  ),
  'zone-lame-server': error(
    'name servers',
    'a server in the delegation does not serve the zone (lame delegation)',
  ),
  'zone-silent-server': warning('name servers', 'a server in the delegation does not answer'),
  'zone-server-no-address': error('name servers', 'a server in the delegation has no address'),
  'zone-server-alias': warning('name servers', 'the name of a server in the delegation is an alias (CNAME)'),
  'zone-no-tcp': warning('name servers', 'a server of the zone answers over UDP only'),
  'zone-delegation-differs': warning(
    'name servers',
    'the parent zone names other servers than the zone itself',
  ),
  'zone-serials-differ': warning(
    'name servers',
    'the servers have different versions of the zone (SOA serial)',
  ),
  'zone-servers-differ': error('name servers', 'the servers of the zone give different answers'),
  'zone-apex-alias': error(
    'DNS',
    'the domain itself is an alias (CNAME), which forbids all its other records',
  ),
  'zone-wildcard': warning('DNS', 'a wildcard gives records to names that should have none'),
  'zone-hides-names': warning('name servers', 'the servers deny names that have only names below them'),
  'dnssec-bogus': error('DNSSEC', 'the signatures are wrong: resolvers that check them find nothing'),
  'dnssec-expired': error('DNSSEC', 'signatures have expired, or are not valid yet'),
  'dnssec-expires': warning('DNSSEC', 'signatures expire soon, and are not made anew'),
  'dnssec-ds-mismatch': error(
    'DNSSEC',
    'the DS record at the registrar is of another key, or of a zone that is not signed any more',
  ),
  'dnssec-no-ds': note('DNSSEC', 'the zone is signed, and the registrar does not say so (no DS record)'),
  'ttl-long': note('DNS', 'a record is kept for more than a day: a change of it takes as long'),
  'ttl-zero': note('DNS', 'a record is not kept at all: each message asks for it anew'),
  'resolver-silent': error('resolver', 'the resolver does not answer, so that no mail can be sent'),
  'resolver-rewrites': error('resolver', 'the resolver invents answers for names that do not exist'),
  'resolver-outdated': warning(
    'resolver',
    'the resolver has other data than the zone: an older version of it, or a filter',
  ),
  // Hosts.
  'resolver-unvalidating': note(
    'resolver',
    'no resolver on this machine checks signatures (DNSSEC): DANE of other servers is not used',
  ),
  'address-missing': error(
    'address',
    'the name of the mail server has no address of a kind that it should have',
  ),
  'address-other': error(
    'address',
    'the name of the mail server leads to an address that is not this server’s',
  ),
  'address-private': error(
    'address',
    'the name of the mail server leads to an address that cannot be reached from outside',
  ),
  'address-unknown': warning('address', 'DNS does not tell now'),
  'mx-missing': error('MX', 'the domain has no MX record'),
  'mx-null': error('MX', 'the domain says that it takes no mail (null MX)'),
  'mx-alias': error('MX', 'the MX record points to an alias (CNAME)'),
  'mx-address-literal': error('MX', 'the MX record holds an IP address instead of a name'),
  'mx-doubled': error('MX', 'the host in the MX record has the domain twice: the final dot was left out'),
  'mx-nowhere': error('MX', 'the host in the MX record has no address'),
  'mx-other-host': error('MX', 'no MX record leads to this server'),
  'mx-unknown': warning('MX', 'DNS does not tell now'),
  'mx-more-hosts': note('MX', 'other hosts take mail for the domain, too'),
  // Addresses that mail is sent from.
  'address-unusable': error('our own address', 'nothing can be sent from the configured address'),
  'no-public-address': warning(
    'our own address',
    'the machine has no public address, and the configuration names none',
  ),
  'no-source': error('our own address', 'no [[source]] is for the domain'),
  'ptr-missing': error('reverse name', 'an IPv4 address that we send from has no PTR record'),
  'ptr-missing-ipv6': error('reverse name', 'an IPv6 address that we send from has no PTR record'),
  'ptr-not-confirmed': error('reverse name', 'the name of an address does not lead back to it'),
  'ptr-other-name': warning('reverse name', 'the name of an address is not the one that we say in EHLO'),
  'ptr-unknown': warning('reverse name', 'DNS does not tell now'),
  'ehlo-no-address': error(
    'EHLO name',
    'the name that we say in EHLO does not lead to the address that we send from',
  ),
  'ehlo-unknown': warning('EHLO name', 'DNS does not tell now'),
  'blocklist-listed': warning('block list', 'a block list has an address of ours'),
  'blocklist-deaf': warning('block list', 'a block list does not answer our resolver as it should'),
  // SPF.
  'spf-missing': error('SPF', 'there is no SPF record'),
  'spf-misplaced': error('SPF', 'the SPF record stands at another name'),
  'spf-mistyped': error('SPF', 'a record is meant for SPF and is none: version, quotes'),
  'spf-two-records': error('SPF', 'there are two SPF records, which counts as an error'),
  'spf-syntax': error('SPF', 'the SPF record cannot be read'),
  'spf-misses-address': error('SPF', 'the SPF record does not permit an address that we send from'),
  'spf-permits-all': error('SPF', 'the SPF record permits everybody (+all)'),
  'spf-open-end': warning('SPF', 'the SPF record says nothing of everybody else (no all, or ?all)'),
  'spf-after-all': warning('SPF', 'terms behind "all" never count'),
  'spf-too-many-lookups': error('SPF', 'the SPF record needs more than 10 look-ups'),
  'spf-void-lookups': error('SPF', 'more than 2 look-ups of the SPF record find nothing'),
  'spf-dead-include': error('SPF', 'an include or redirect leads to a domain without SPF record'),
  'spf-ptr': warning('SPF', 'the SPF record uses ptr, which is slow and which many pass over'),
  'spf-unknown': warning('SPF', 'DNS does not tell now'),
  // DKIM.
  'dkim-no-key': warning('DKIM', 'mail of the domain is not signed: no key is configured'),
  'dkim-missing': error('DKIM', 'the key is not published'),
  'dkim-misplaced': error('DKIM', 'the key is published at another name'),
  'dkim-other-selector': error('DKIM', 'the key is published under another selector'),
  'dkim-two-records': error('DKIM', 'there is more than one record at the name'),
  'dkim-syntax': error('DKIM', 'the record cannot be read'),
  'dkim-quotes': error('DKIM', 'there are quotes or other foreign characters within the key'),
  'dkim-truncated': error('DKIM', 'the published key is cut off, often at 255 characters'),
  'dkim-mistyped': error('DKIM', 'a few characters of the published key are wrong, missing or too many'),
  'dkim-other-key': error('DKIM', 'the published key is another one'),
  'dkim-private-key': error('DKIM', 'a private key is published: everybody can sign with it'),
  'dkim-revoked': error('DKIM', 'the published key is empty, which revokes it'),
  'dkim-not-for-mail': error('DKIM', 'flags of the record (k=, h=, s=) rule out our signatures'),
  'dkim-testing': warning('DKIM', 'the record says that signatures are only tried (t=y)'),
  'dkim-unknown': warning('DKIM', 'DNS does not tell now'),
  // DMARC.
  'dmarc-missing': error('DMARC', 'there is no DMARC record'),
  'dmarc-misplaced': error('DMARC', 'the DMARC record stands at another name'),
  'dmarc-two-records': error('DMARC', 'there are two DMARC records, which counts as none'),
  'dmarc-syntax': error('DMARC', 'the DMARC record cannot be read'),
  'dmarc-no-reports': warning('DMARC', 'nobody gets reports (rua)'),
  'dmarc-rua-unauthorized': warning(
    'DMARC',
    'reports are to go to another domain, which does not say that it wants them',
  ),
  'dmarc-pct': warning('DMARC', 'pct= is history: some apply it, most do not (RFC 9989)'),
  'dmarc-policy-none': note('DMARC', 'the policy is to do nothing with mail that pretends to be yours'),
  'dmarc-subdomains': note('DMARC', 'the policy is for the domain, and not for names below it (sp=none)'),
  'dmarc-unknown': warning('DMARC', 'DNS does not tell now'),
  // MTA-STS, TLS reports.
  'mta-sts-not-yet': note(
    'MTA-STS',
    'the policy is not announced, and cannot be before there is a certificate',
  ),
  'mta-sts-missing': warning('MTA-STS', 'the policy is not announced'),
  'mta-sts-syntax': error('MTA-STS', 'the announcement cannot be read, or stands there twice'),
  'mta-sts-no-policy': error('MTA-STS', 'a policy is announced and cannot be fetched'),
  'mta-sts-certificate': error('MTA-STS', 'the certificate of the policy host is not valid'),
  'mta-sts-policy-syntax': error('MTA-STS', 'the policy cannot be read'),
  'mta-sts-mx-differs': error('MTA-STS', 'the policy does not allow a host of the MX records'),
  'mta-sts-id-unchanged': warning('MTA-STS', 'the announced id is not that of the policy that is served'),
  'mta-sts-short': warning('MTA-STS', 'the policy is kept for less than a day'),
  'mta-sts-not-enforced': note('MTA-STS', 'the policy is only tested'),
  'tls-rpt-missing': warning('TLS reports', 'nobody is asked for reports on TLS'),
  'tls-rpt-syntax': error('TLS reports', 'the record cannot be read, or stands there twice'),
  'mailbox-missing': error(
    'mailboxes',
    'an address that has to be there takes no mail: postmaster, abuse, or one that reports go to',
  ),
  // DANE, CAA, clients.
  'dane-unsigned': warning('DANE', 'there are TLSA records in a zone without DNSSEC: they count for nothing'),
  'dane-mismatch': error(
    'DANE',
    'no TLSA record matches the certificate: senders that know DANE cannot deliver',
  ),
  'dane-parameters': error(
    'DANE',
    'a TLSA record has parameters that SMTP does not use, or data of the wrong length',
  ),
  'dane-next-missing': note('DANE', 'the key that is to come has no TLSA record: it is not used before'),
  'dane-missing': note('DANE', 'the zone is signed, and there are no TLSA records'),
  'dane-unanswered': error('DANE', 'the zone is signed, and its servers do not answer for TLSA records'),
  'caa-forbids': error('CAA', 'the CAA records forbid our certificate authority to issue'),
  'caa-other-account': error(
    'CAA',
    'the CAA records let another ACME account have certificates, and not ours',
  ),
  'caa-other-method': error('CAA', 'the CAA records allow other ways to prove a name than ours'),
  'caa-unanswered': error('CAA', 'the servers of the zone do not answer for CAA records'),
  'caa-missing': note('CAA', 'any certificate authority may issue certificates for the name'),
  'srv-missing': note('mail programs', 'mail programs that look for SRV records do not find the server'),
  'srv-wrong': warning('mail programs', 'an SRV record sends mail programs elsewhere'),
  'autoconfig-missing': note('mail programs', 'mail programs do not find their settings'),
  'autoconfig-wrong': warning(
    'mail programs',
    'a name where mail programs look for settings leads elsewhere',
  ),
  // Certificates, and what others see of the server.
  'certificate-absent': warning('certificate', 'no certificate is configured: mail comes in clear text'),
  'certificate-unusable': error('certificate', 'a file with a certificate or its key cannot be used'),
  'acme-account-unusable': error(
    'ACME account',
    'the account with the certificate authority cannot be read, so that no certificate is renewed',
  ),
  'certificate-expired': error('certificate', 'the certificate has expired'),
  'certificate-expires': warning('certificate', 'the certificate expires within two weeks'),
  'certificate-not-yet-valid': error('certificate', 'the certificate is not valid yet'),
  'certificate-wrong-name': error('certificate', 'the certificate is not for the name of the server'),
  'certificate-untrusted': warning(
    'certificate',
    'no known authority vouches for the certificate (self-signed, or the chain is incomplete)',
  ),
  'certificate-chain': warning('certificate', 'certificates of the chain are missing or in the wrong order'),
  'certificate-old-served': warning(
    'certificate',
    'the server shows another certificate than the one that is on disk',
  ),
  'door-closed': error('port 25', 'nobody answers at a published address'),
  'door-other-server': error('port 25', 'another server answers at a published address'),
  'door-refuses': error('port 25', 'the server refuses the connection'),
  'door-no-starttls': error('STARTTLS', 'the server does not offer STARTTLS'),
  'door-tls-fails': error('STARTTLS', 'the TLS handshake fails'),
  'mailbox-unknown': note('mailboxes', 'whether an address takes mail could not be tried'),
  'door-untested': note('port 25', 'a published address cannot be tried from here'),
  'relay-open': error('relay', 'the server takes mail from strangers for strangers'),
  'relay-trusts-all': error('relay', 'trustedNetworks holds more or less everybody'),
  'relay-untested': note('relay', 'could not be tried: this machine is in trustedNetworks'),
  'port25-blocked': error('port 25 out', 'no connection to other mail servers comes about'),
  'port25-unknown': warning('port 25 out', 'it could not be tried'),
  // This machine.
  'clock-off': error('clock', 'the clock is off by more than five minutes'),
  'clock-drifts': warning('clock', 'the clock is off by more than five seconds'),
  'clock-unknown': note('clock', 'no time server could be asked'),
  'disk-full': error('disk', 'the disk of the data directory is nearly full'),
  'disk-low': warning('disk', 'the disk of the data directory has little room left'),
  'mailbox-not-ours': error(
    'mailboxes',
    'a mailbox belongs to another user than the data directory: nothing can be delivered into it',
  ),
  'server-silent': error('server', 'the running server does not answer commands: it is stopped, or hangs'),
  'filter-down': error('filter', 'a configured filter does not answer'),
  'list-deaf': warning('DNS list', 'a list that a policy names does not answer our resolver as it should'),
  'policy-gone': warning('the policy', 'mailboxes name a policy that the configuration has no more'),
  'domain-gone': warning(
    'the domain',
    'mailboxes are in a domain that the configuration has no more: they get no mail',
  ),
  'config-no-submission': note(
    'configuration',
    'our users cannot hand in mail: there is no submission listener',
  ),
  'config-plaintext-login': warning('configuration', 'passwords may be sent in clear text'),
  'not-looked-at': warning('doctor', 'an examination did not come to its end in time'),
} as const satisfies Record<string, CatalogueEntry>;

export type FindingId = keyof typeof entries;

export const catalogue: Readonly<Record<FindingId, CatalogueEntry>> = entries;

// The keys of an object literal are those of its type.
export const findingIds = Object.keys(entries) as FindingId[];
