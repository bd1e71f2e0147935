/** The wiring of the web listeners. What they are made of is loaded only where there is one. */

import { readPassword } from '../config/password-file.ts';
import { Crowd } from '../net/crowd.ts';
import { listen } from '../net/listener.ts';
import type { Peer } from '../net/machine.ts';
import { networkSet } from '../net/networks.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Defence } from '../reception/abuse/defence.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Health } from '../util/health.ts';
import type { Origin } from '../web/visitor.ts';
import type { Core } from './core.ts';
import { endAll, isWeb, type Listening } from './listeners.ts';

export interface WebDoorParts extends Pick<Core, 'config' | 'log' | 'clock'> {
  defence: Defence;
  certificates: Certificates | undefined;
  health(): Health;
  /** There wherever there is a web listener. */
  metrics: Metrics | undefined;
  /** RFC 8555 §8.3: what an authority is to find at a token. */
  challengeResponse(token: string): string | undefined;
}

/** As `startListeners` does for mail. Its connections are counted apart from those of mail, which they cannot crowd out. */
export async function startWeb(parts: WebDoorParts, stack: AsyncDisposableStack): Promise<Listening[]> {
  const { config, log, clock, defence, certificates, metrics } = parts;
  const wanted = config.listeners.filter(isWeb);
  if (wanted.length === 0) return [];
  const [{ openWeb }, { httpServer, requestMs }] = await Promise.all([
    import('../web/app.ts'),
    import('../net/http-server.ts'),
  ]);
  const { connections, connectionsPerAddress, metricsTokenFile } = config.web;
  const gate = defence.gateFor({ sessions: connections, sessionsPerAddress: connectionsPerAddress });
  const http = httpServer<Origin>(clock);
  const metricsToken = metricsTokenFile === undefined ? undefined : await readPassword(metricsTokenFile);
  const enter = (address: string) => gate.enter(clientAt(address));
  await openWeb(
    { ...parts, metricsText: async () => (await metrics?.text()) ?? '', metricsToken, enter },
    http,
  );

  const isProxy = networkSet(config.web.proxies);
  const crowd = new Crowd({ sessions: connections, idleMs: requestMs }, log);
  const listening: Listening[] = [];
  for (const { protocol, address, port, proxied, proxyProtocol } of wanted) {
    const by = protocol === 'https' ? 'https' : proxied ? 'proxied' : 'http';
    const one = await listen({
      address,
      port,
      implicitTls: by === 'https' ? certificates?.users : undefined,
      proxies: proxyProtocol && networkSet(proxyProtocol),
      enter(peer) {
        if (by === 'proxied' && !isProxy(peer.address))
          return {
            refusal: refusal(403, 'Forbidden', 'This port is for the web server in front ([web] proxies).'),
          };
        // Whom it speaks for is counted request by request.
        const pass = gate.enter(by === 'proxied' ? nobodyBehind(peer) : peer);
        return pass.words === undefined ? pass : { refusal: refusal(429, 'Too Many Requests', pass.words) };
      },
      log,
      serve: (socket, peer) => crowd.add(http.serve(socket, { peer, by })),
    });
    stack.defer(async () => void (await Promise.all([one.close(), endAll(crowd.sessions)])));
    listening.push({ ...one, protocol });
  }
  return listening;
}

const nobodyBehind = (peer: Peer): Peer => ({
  ...peer,
  proxy: { address: peer.address, speaksFor: 'nobody' },
});

/** All that is known of it. */
const clientAt = (address: string): Peer => ({ address, port: 0, localAddress: '', localPort: 0 });

function refusal(status: number, phrase: string, words: string): string {
  const fields = ['Content-Type: text/plain', 'Connection: close', `Content-Length: ${words.length + 1}`];
  return `HTTP/1.1 ${status} ${phrase}\r\n${fields.join('\r\n')}\r\n\r\n${words}\n`;
}
