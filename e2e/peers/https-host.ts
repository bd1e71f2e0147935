/** An HTTPS server by Python, which shares no line of code with us: takes what is posted, and keeps it in files. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../certificates.ts';
import { start } from '../process.ts';
import { listening } from '../wait.ts';
import type { World } from '../world.ts';

export interface HttpsHost {
  readonly port: number;
  /** What was posted so far, with its path and its content type. */
  posted(): Promise<{ path: string; type: string; body: Buffer }[]>;
}

const script = `
import http.server, itertools, json, ssl, sys
port, cert, key, folder = int(sys.argv[1]), *sys.argv[2:5]
numbers = itertools.count()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        name = f'{folder}/{next(numbers)}'
        open(name + '.body', 'wb').write(body)
        open(name + '.json', 'w').write(json.dumps({'path': self.path, 'type': self.headers['Content-Type']}))
        self.send_response(201)
        self.end_headers()
server = http.server.HTTPServer(('127.0.0.1', port), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
`;

export async function startHttpsHost(world: World, { cert, key }: Certificate): Promise<HttpsHost> {
  const dir = world.path('https');
  await mkdir(dir, { recursive: true });
  const program = join(dir, 'host.py');
  await writeFile(program, script);
  const port = await world.port();
  const server = start('python3', [program, String(port), cert, key, dir], world.watchLog(join(dir, 'log')));
  world.atEnd(() => server.stop());
  await listening(port);
  return {
    port,
    async posted() {
      const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).sort();
      return Promise.all(
        names.map(async (name) => ({
          ...JSON.parse(await readFile(join(dir, name), 'utf8')),
          body: await readFile(join(dir, name.replace('.json', '.body'))),
        })),
      );
    },
  };
}
