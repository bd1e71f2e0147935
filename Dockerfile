# Posthorn in a container: the configuration in /etc/posthorn, everything that is kept in /var/lib/posthorn.
#   docker build -t posthorn .
#   docker run -d --name posthorn -p 25:25 -p 465:465 -p 587:587 -p 995:995 -p 80:80 -p 443:443 \
#     -v posthorn-config:/etc/posthorn -v posthorn-data:/var/lib/posthorn posthorn
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools/node tools/node
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY tools tools
COPY bin bin
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund && node tools/strip-modules.ts .

FROM node:24.21.0-bookworm-slim
RUN groupadd --system --gid 10025 posthorn \
  && useradd --system --uid 10025 --gid posthorn --home-dir /var/lib/posthorn --shell /usr/sbin/nologin posthorn \
  && install -d -o posthorn -g posthorn -m 0700 /var/lib/posthorn \
  && install -d -o posthorn -g posthorn -m 0750 /etc/posthorn
WORKDIR /usr/lib/posthorn
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/dist dist
RUN ln -s /usr/lib/posthorn/bin/posthorn /usr/bin/posthorn
USER posthorn
VOLUME ["/etc/posthorn", "/var/lib/posthorn"]
EXPOSE 25 80 110 443 465 587 995
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=20s CMD ["posthorn", "queue", "list", "--limit", "1"]
ENTRYPOINT ["posthorn"]
CMD ["serve", "--config", "/etc/posthorn/posthorn.toml"]
