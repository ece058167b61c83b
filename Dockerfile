# Latchkey in a container: TypeScript runs as it is, so there is nothing to compile but the cache.
#   docker build -t latchkey .
#   docker run --name gate -p 8080:8080 -v latchkey-data:/var/lib/latchkey latchkey serve --backend http://files:8008/
#   docker exec gate latchkey user add alice

# 1. Runtime dependencies, exactly as locked. Native code comes prebuilt: no install script runs.
FROM node:24-slim AS dependencies
WORKDIR /opt/latchkey
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# 2. What runs: no npm, no compiler, no shell history of how it was made.
FROM node:24-slim
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-*
WORKDIR /opt/latchkey
COPY --from=dependencies /opt/latchkey/node_modules node_modules
COPY package.json LICENSE ./
COPY config config
COPY src src
RUN install -d -o node -g node -m 0700 /var/lib/latchkey \
  && install -d -o node -g node /var/cache/latchkey \
  && ln -s /opt/latchkey/src/main.ts /usr/local/bin/latchkey

# The compile cache belongs to one user id, so it is warmed as the user that will run. It may be read-only then.
# 1000 is the image's user `node`: Kubernetes wants a number to see that it is not root.
USER 1000:1000
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/latchkey
RUN latchkey --version

# The store, the generated keys and the spool live in ./data of this folder.
WORKDIR /var/lib/latchkey
VOLUME /var/lib/latchkey
EXPOSE 8080

# The admin listener is on 127.0.0.1:8081 of the container: only the container itself can ask.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8081/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/latchkey/src/main.ts"]
CMD ["serve"]
