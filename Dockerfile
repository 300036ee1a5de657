# One image for every service: `ctwa-ledger <command>`.
# The Node version is the one that the tests run on.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY dashboard/package.json dashboard/
COPY schemas/package.json schemas/
COPY services/package.json services/

FROM packages AS build
# What bundles and pages are built with; what services import stays outside their bundle.
RUN npm ci --ignore-scripts --include-workspace-root --workspace dashboard
COPY schemas schemas
COPY services services
COPY dashboard dashboard
# A page shows it.
COPY docs/rules.md docs/
COPY scripts scripts
RUN npm run build

FROM packages AS production
# Without chdb, the embedded ClickHouse of 540 MB: only the engine host imports it (services/clickhouse/engine/host.ts), a
# process of its own that is started where CLICKHOUSE_URL names no server. In an image there always is one.
RUN npm ci --ignore-scripts --omit=dev && rm -r node_modules/chdb node_modules/@chdb

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=production /app/node_modules node_modules
COPY package.json LICENSE ./
COPY sql sql
COPY schemas schemas
COPY services services
COPY --from=build /app/services/build services/build
COPY --from=build /app/dashboard/build dashboard/build
COPY dashboard/package.json dashboard/
# A named volume that is mounted here takes over the owner.
RUN ln -s /app/services/cli/ctwa-ledger.js /usr/local/bin/ctwa-ledger \
    && mkdir /exports \
    && chown node:node /exports
USER node
ENTRYPOINT ["ctwa-ledger"]
CMD ["--help"]
