/**
 * systemd's units for the server: it runs as a user of its own that may listen on low ports and nothing else, sees of the
 * machine what it needs, and writes only what is its own. systemd.exec(5); `systemd-analyze security` says how tight.
 */

import { userName } from './owner.ts';

export interface Unit {
  name: string;
  text: string;
}

export interface ListeningPlace {
  address: string;
  port: number;
}

export interface UnitParts {
  /** Path of the posthorn command. */
  program: string;
  /** That of Node, where the program has none of its own: a service does not look where a person's shell does. */
  node?: string | undefined;
  configFile: string;
  dataDir: string;
  /** There is no posthorn.socket beside it: who packs it does not know yet what it will listen on. */
  opensItsSockets?: boolean;
}

/** A user's home is hidden from services, unless the program lies in one. */
const homes = ['/home/', '/root/', '/run/user/'];

export function serviceUnit(parts: UnitParts): Unit {
  const { program, node, configFile, dataDir, opensItsSockets = false } = parts;
  const isInHome = homes.some((home) => program.startsWith(home) || node?.startsWith(home));
  const hasOwnPlace = dataDir !== '/var/lib/posthorn';
  return {
    name: 'posthorn.service',
    text: `# Made by \`posthorn quickstart\`, which renews it. What is to be different goes into a drop-in: systemctl edit posthorn
[Unit]
Description=Posthorn mail server
Wants=network-online.target
${opensItsSockets ? '' : 'Requires=posthorn.socket\n'}After=${opensItsSockets ? '' : 'posthorn.socket '}network-online.target nss-lookup.target time-sync.target

[Service]
# It says so itself when it is ready, by systemd-notify.
Type=notify
NotifyAccess=all
${node === undefined ? '' : `Environment=${quoted(`POSTHORN_NODE=${node}`)}\n`}ExecStart=${word(program)} serve --config ${word(configFile)}
ExecReload=${word(program)} reload --config ${word(configFile)}
Restart=on-failure
RestartSec=2
# Data of a later version, or half restored: the next try would end as this one.
RestartPreventExitStatus=65
# A server that is stuck, and says nothing for so long, is ended and started anew.
WatchdogSec=120
# A database that was cut off in its work is put in order first.
TimeoutStartSec=300
# A stop lets sessions and deliveries end: 40 s at most.
TimeoutStopSec=60
# Programs that it has started end with what they do.
KillMode=mixed
LimitNOFILE=65536

User=${userName}
Group=${userName}
UMask=0077
StateDirectory=posthorn
# Passable for programs of this machine that hand in mail ([sendmail]); all in it is private by itself.
StateDirectoryMode=0711
RuntimeDirectory=posthorn
RuntimeDirectoryMode=0750
${hasOwnPlace ? `ReadWritePaths=${word(dataDir)}\n` : ''}
# Ports below 1024, for listeners whose socket does not come from systemd, and no other right of root's.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

ProtectSystem=strict
ProtectHome=${isInHome ? 'read-only' : 'yes'}
ProtectProc=invisible
ProcSubset=pid
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
# Netlink: by it a program learns this machine's addresses.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: JavaScript is compiled while it runs.

[Install]
WantedBy=multi-user.target
`,
  };
}

/**
 * The listening sockets are systemd's, so that nobody is refused while the server restarts: who connects then waits.
 * systemd.socket(5). A listener that is not in here opens its own.
 */
export function socketUnit(listeners: readonly ListeningPlace[]): Unit {
  return {
    name: 'posthorn.socket',
    text: `# Made by \`posthorn quickstart\` from the [[listener]] tables; run it again when they change.
[Unit]
Description=Posthorn mail server, where it listens

[Socket]
${listeners.map(({ address, port }) => `ListenStream=${endpoint(address, port)}\n`).join('')}# [::] takes IPv4 as well.
BindIPv6Only=both
Backlog=511
FileDescriptorName=posthorn
Service=posthorn.service

[Install]
WantedBy=sockets.target
`,
  };
}

const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** One word of a command line, where $ begins a variable (systemd.service(5)). */
const word = (text: string): string => quoted(text.replace(/\$/g, '$$$$'));

/** One word: systemd takes spaces, quotes and % for its own (systemd.syntax(7)). */
function quoted(text: string): string {
  const escaped = text.replace(/%/g, '%%');
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replace(/["\\]/g, '\\$&')}"` : escaped;
}
