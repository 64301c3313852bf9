# The gateway's image: `docker build -t nyro-gateway .`
#
# It needs no writable path: run it with a read-only root. Its user is 10001; another one works too, but starts without
# the compile cache made below, which belongs to a uid: 30 ms of CPU more, of 300, with a configuration file.

# The version is that of runtime/package.json, with which the suite ran.
ARG NODE_IMAGE=node:26.10.0-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/nyro
COPY package.json package-lock.json .npmrc ./
COPY runtime/package.json runtime/
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin/
COPY scripts scripts/
COPY src src/
RUN npm run build && node scripts/sbom.ts sbom.cdx.json

# Run-time packages alone. Optional ones are the pinned runtime, which the image has from its base.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /opt/nyro
COPY package.json package-lock.json .npmrc ./
COPY runtime/package.json runtime/
RUN npm ci --omit=dev --omit=optional && rm -rf node_modules/@nyro-gateway

# What `docker compose` of deploy/compose puts behind the gateway: `--target demo`. Not for production.
FROM ${NODE_IMAGE} AS demo
WORKDIR /opt/nyro
COPY package.json ./
COPY src src/
COPY deploy/compose/demo-upstreams.ts deploy/compose/
USER 10001:10001
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "deploy/compose/demo-upstreams.ts"]

FROM ${NODE_IMAGE} AS gateway
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Nyro Gateway" \
      org.opencontainers.image.description="The API gateway for multi-tenant products: verifies who calls, states the tenant, moves bytes." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Package managers serve an intruder, not the gateway.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include/node /usr/local/bin/npm /usr/local/bin/npx \
      /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*

WORKDIR /opt/nyro
COPY package.json LICENSE README.md CHANGELOG.md ./
COPY bin bin/
COPY --from=dependencies /opt/nyro/node_modules node_modules/
COPY --from=build /opt/nyro/dist dist/
COPY --from=build /opt/nyro/sbom.cdx.json ./
COPY deploy/docker deploy/docker/

# Compiled code is kept by Node under the version, the paths and the uid of the process: so it is made here, at the place
# and by the user of later, and then belongs to root, for V8 runs what it holds.
ENV NODE_COMPILE_CACHE=/opt/nyro/compile-cache
RUN install -d -o 10001 -g 10001 "$NODE_COMPILE_CACHE" && \
    setpriv --reuid=10001 --regid=10001 --clear-groups node deploy/docker/bake-compile-cache.ts && \
    chown -R root:root "$NODE_COMPILE_CACHE" && chmod -R a=rX "$NODE_COMPILE_CACHE"

# Where a configuration is mounted: GATEWAY_CONFIG=/etc/nyro/nyro.yaml, or a .env.
WORKDIR /etc/nyro
USER 10001:10001
EXPOSE 8080 9901
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["node", "/opt/nyro/deploy/docker/healthcheck.ts"]
# The launcher becomes node by exec: process 1 is the gateway, which knows what that asks of it.
ENTRYPOINT ["/opt/nyro/bin/nyro"]
CMD ["start"]
