/** What a Debian package says of itself, and does when it comes and goes (deb-control(5), Debian Policy §6, §7). */

export interface PackageFacts {
  version: string;
  /** Debian's name of it: `amd64`. */
  architecture: string;
  /** KiB. */
  installedSize: number;
  /** The latest of a store that it can read. */
  schemaVersion: number;
}

const maintainer = 'The Posthorn authors <posthorn@localhost>';

const summary = 'mail server that shows its work';
const description = `Description: ${summary}
 Takes mail from clients and from the world (SMTP, submission, LMTP), keeps it
 in Maildirs, serves it by POP3, and sends it on: DKIM, SPF, DMARC, ARC, DANE,
 MTA-STS. Every message has a dossier that tells, line by line, what happened
 and why. A 250 means that the message is on disk.
 .
 To set it up: posthorn quickstart DOMAIN`;

/** The server with everything that it needs but the C library, its own Node among it. */
export const control = ({ version, architecture, installedSize }: PackageFacts): string =>
  `Package: posthorn
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${installedSize}
Depends: libc6, libgcc-s1, libstdc++6, adduser
Recommends: unbound, ca-certificates
Section: mail
Priority: optional
${description}
`;

/** /usr/sbin/sendmail for cron and PHP: apart, so that the server can stand beside another one while one moves. */
export const mtaControl = ({ version }: Pick<PackageFacts, 'version'>): string =>
  `Package: posthorn-mta
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Depends: posthorn
Provides: mail-transport-agent, default-mta
Conflicts: mail-transport-agent
Replaces: mail-transport-agent
Section: mail
Priority: optional
Description: Posthorn as this machine's sendmail
 /usr/sbin/sendmail, mailq and newaliases, by which cron, PHP and other programs
 hand their mail to Posthorn.
`;

/**
 * A version that cannot read the store is refused before anything is changed: the server that is there runs on. What is told of the
 * store is what store/sqlite/open.ts notes in it.
 */
export const preinst = ({ version, schemaVersion }: PackageFacts): string => `#!/bin/sh
set -e
data=
if [ -f /etc/posthorn/posthorn.toml ]; then
  data=$(sed -n '/^ *\\[/q; s/^ *dataDir *= *["'\\'']\\([^"'\\'']*\\).*/\\1/p' /etc/posthorn/posthorn.toml)
fi
case $data in
  '') data=/var/lib/posthorn ;;
  /*) ;;
  *) data=/etc/posthorn/$data ;;
esac
if [ -f "$data/store/written-by" ]; then
  note=$(head -c 200 "$data/store/written-by")
  writer=$(echo "$note" | sed -n 's/^\\(Posthorn [A-Za-z0-9.+-]*\\)$/\\1/p')
  schema=$(echo "$note" | sed -n 's/^schema \\([0-9]\\{1,6\\}\\)$/\\1/p')
  if [ "\${schema:-0}" -gt ${schemaVersion} ]; then
    echo "The store in $data was written by \${writer:-another version}, with schema version $schema; Posthorn ${version} knows versions up to ${schemaVersion}." >&2
    echo "Nothing was changed. To go back to it: /usr/share/doc/posthorn/docs/BACKUP.md, Upgrades." >&2
    exit 1
  fi
fi
exit 0
`;

/** Nothing listens yet: that is quickstart's business, or the administrator's. */
export const postinst = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if ! getent passwd posthorn >/dev/null; then
    adduser --quiet --system --group --home /var/lib/posthorn --no-create-home --shell /usr/sbin/nologin posthorn
  fi
  # What is there, whoever has set its mode, stays.
  [ -d /var/lib/posthorn ] || install -d -o posthorn -g posthorn -m 0700 /var/lib/posthorn
  [ -d /etc/posthorn ] || install -d -o root -g posthorn -m 0750 /etc/posthorn
  if [ -d /run/systemd/system ]; then
    systemctl --quiet daemon-reload || true
    # An upgrade: the new program takes over, if there was one before. Who connects meanwhile waits in posthorn.socket.
    if [ -n "$2" ] && ! systemctl --quiet try-restart posthorn.service; then
      echo "The server does not start with this version: journalctl -u posthorn says why." >&2
      exit 1
    fi
  fi
  if [ ! -e /etc/posthorn/posthorn.toml ]; then
    echo "To set up a mail server: posthorn quickstart DOMAIN"
  elif [ -d /run/systemd/system ] && ! systemctl --quiet is-enabled posthorn.service; then
    echo "The configuration of before is there. To start the server: posthorn quickstart DOMAIN, or systemctl enable --now posthorn.service"
  fi
fi
exit 0
`;

/** The sockets first: who connects would start the server again. They are there only where quickstart has made them. */
export const prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  for unit in posthorn.socket posthorn.service; do
    if systemctl cat $unit >/dev/null 2>&1; then systemctl --quiet disable --now $unit || true; fi
  done
fi
exit 0
`;

/** Mail, keys and configuration are nobody's to remove but the administrator's; units that quickstart has made are ours. */
export const postrm = `#!/bin/sh
set -e
if [ "$1" = purge ]; then
  for unit in /etc/systemd/system/posthorn.socket /etc/systemd/system/posthorn.service; do
    if [ -f $unit ] && head -n 1 $unit | grep -q 'Made by .posthorn quickstart'; then
      rm $unit
      echo "$unit is removed"
    fi
  done
  for place in /var/lib/posthorn /etc/posthorn; do
    if [ -d "$place" ] && ! rmdir "$place" 2>/dev/null; then echo "$place is left as it is: remove it by hand, if nobody needs it"; fi
  done
fi
if [ -d /run/systemd/system ]; then systemctl --quiet daemon-reload || true; fi
exit 0
`;

export const copyright = (licence: string): string =>
  `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Posthorn

Files: *
Copyright: 2026 The Posthorn authors
License: MIT
${indented(licence)}

Files: usr/lib/posthorn/node_modules/*
Copyright: their authors, as each package says
License: as each package says
 Each package brings its licence in its own directory.
`;

/** A paragraph of a control file: a full stop stands for an empty line. */
const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? ' .' : ` ${line}`))
    .join('\n');

export const sendmail = '#!/bin/sh\nexec /usr/bin/posthorn sendmail "$@"\n';
export const mailq = '#!/bin/sh\nexec /usr/bin/posthorn sendmail -bp "$@"\n';
/** Aliases are in the store, and count at once. */
export const newaliases = '#!/bin/sh\nexit 0\n';
