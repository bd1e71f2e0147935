/** The wiring of the web listeners. What they are made of is loaded only where there is one. */

import type { ListenerConfig } from '../config/listeners.ts';
import { readSecret } from '../config/secret.ts';
import type { Service } from '../net/accepting.ts';
import type { OpenSession } from '../net/connection.ts';
import type { Socket } from '../net/listener.ts';
import type { Peer } from '../net/machine.ts';
import { networkSet } from '../net/networks.ts';
import type { Certificates } from '../net/tls-context.ts';
import type { Origin } from '../web/visitor.ts';
import type { Core } from './core.ts';

export interface WebDoorParts
  extends Pick<Core, 'config' | 'log' | 'clock' | 'health' | 'webGate' | 'counting'> {
  certificates: Certificates | undefined;
  /** RFC 8555 §8.3: what an authority is to find at a token. */
  challengeResponse(token: string): string | undefined;
}

/** Serves the connections of a web listener. */
export type WebDoor = (listener: ListenerConfig) => Omit<Service, 'serve'> & {
  serve(socket: Socket, peer: Peer): OpenSession;
};

/** Undefined where no listener speaks HTTP. With `stack` its visitors go: they come again to what is then in force. */
export async function openWebDoor(
  parts: WebDoorParts,
  stack: AsyncDisposableStack,
): Promise<WebDoor | undefined> {
  const { config, clock, certificates, counting, webGate: gate } = parts;
  if (!config.listeners.some(isWeb)) return undefined;
  const [{ openWeb }, { httpServer }] = await Promise.all([
    import('../web/app.ts'),
    import('../net/http-server.ts'),
  ]);
  const { metricsTokenFile } = config.web;
  const http = httpServer<Origin>(clock);
  stack.defer(() => http.end());
  const metricsToken = metricsTokenFile === undefined ? undefined : await readSecret(metricsTokenFile);
  const enter = (address: string) => gate.enter(clientAt(address));
  const metricsText = () => counting.text();
  await openWeb({ ...parts, metricsText, metricsToken, enter }, http);

  const isProxy = networkSet(config.web.proxies);
  return ({ protocol, proxied, proxyProtocol }) => {
    const by = protocol === 'https' ? 'https' : proxied ? 'proxied' : 'http';
    return {
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
      serve: (socket, peer) => http.serve(socket, { peer, by }),
    };
  };
}

/** The other listeners are for mail. */
export const isWeb = ({ protocol }: ListenerConfig): boolean => protocol === 'http' || protocol === 'https';

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
