/** nginx in front of a server: does TLS for its names, and passes requests on. As docs/WEB.md shows it. */

import { mkdir, writeFile } from 'node:fs/promises';
import type { Certificate } from '../certificates.ts';
import { start } from '../process.ts';
import { listening } from '../wait.ts';
import type { World } from '../world.ts';

export interface NginxOptions {
  /** Where requests go. */
  port: number;
  names: readonly string[];
  certificate: Certificate;
}

export interface Nginx {
  https: number;
  http: number;
}

/** Resolves to its own ports, which take connections. */
export async function startNginx(world: World, { port, names, certificate }: NginxOptions): Promise<Nginx> {
  const own = { https: await world.port(), http: await world.port() };
  const prefix = world.path('nginx');
  await mkdir(prefix);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${prefix}/${name};`,
  );
  const configuration = [
    'daemon off;',
    'master_process off;',
    `pid ${prefix}/pid;`,
    `error_log ${prefix}/log;`,
    'events {}',
    'http {',
    '  access_log off;',
    ...temporary,
    '  server {',
    `    listen 127.0.0.1:${own.https} ssl;`,
    `    listen 127.0.0.1:${own.http};`,
    `    server_name ${names.join(' ')};`,
    `    ssl_certificate ${certificate.cert};`,
    `    ssl_certificate_key ${certificate.key};`,
    '    location / {',
    `      proxy_pass http://127.0.0.1:${port};`,
    '      proxy_set_header Host $host;',
    '      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    '      proxy_set_header X-Forwarded-Proto $scheme;',
    '    }',
    '  }',
    '}',
  ];
  await writeFile(`${prefix}/nginx.conf`, `${configuration.join('\n')}\n`);
  const running = start(
    'nginx',
    ['-p', prefix, '-c', `${prefix}/nginx.conf`],
    world.watchLog(`${prefix}/log`),
  );
  world.atEnd(() => running.stop());
  await listening(own.https);
  return own;
}
