import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { pino } from 'pino';
import { LedgerError } from '../ledger/errors.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { Metrics } from '../http/metrics.ts';
import { createHttpServer, type PageHandler } from '../http/server.ts';
import { SummaryKeeper } from '../ledger/summary-keeper.ts';
import { LedgerSink, type WebhookSecrets } from '../ingest/webhook.ts';
import { Product } from './product.ts';

const DASHBOARD = new URL('../../dashboard/build/handler.js', import.meta.url);
/** How long requests may take to end when the process is asked to stop. */
const GRACE_MS = 10_000;

export interface ServeOptions {
  readonly ledger: OpenOptions;
  readonly host: string;
  readonly port: number;
  readonly secrets: WebhookSecrets;
  /** Pages, API and sample data as well, not the webhook alone. */
  readonly withDashboard: boolean;
  /** Send the sample data away. */
  readonly empty: boolean;
}

export interface Serving {
  readonly url: string;
  /** Resolves when the sample data, if any is being loaded, is there. */
  readonly settled: () => Promise<void>;
  /** Finishes what has begun and lets go of everything. */
  readonly stop: () => Promise<void>;
}

async function loadPages(): Promise<PageHandler> {
  if (!existsSync(DASHBOARD)) throw new LedgerError('The dashboard is not built. Run: npm run build');
  // Read by the built handler when it is imported: the outer server speaks for the protocol.
  process.env['PROTOCOL_HEADER'] = 'x-forwarded-proto';
  const { handler } = (await import(DASHBOARD.href)) as { handler: PageHandler };
  return handler;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** On loopback the pages answer to this machine's own names, and to the one of a proxy that `ORIGIN` tells. */
function hostsOf(host: string): ReadonlySet<string> | null {
  if (!LOOPBACK.includes(host)) return null;
  const origin = process.env['ORIGIN'];
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  return new Set(origin !== undefined && URL.canParse(origin) ? [...names, new URL(origin).hostname] : names);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new LedgerError(`Port ${port} on ${host} is taken. Stop what uses it, or give another one with --port.`)
          : new LedgerError(`Cannot listen on ${host}:${port} (${error.message}).`),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Runs the server until it is stopped. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const level = process.env['LOG_LEVEL'] ?? 'info';
  if (!(level in pino.levels.values) && level !== 'silent')
    throw new LedgerError(`LOG_LEVEL "${level}" is none of ${Object.keys(pino.levels.values).join(', ')}, silent.`);
  const log = pino({ level }, pino.destination(2));
  const onError = (what: string, error: unknown): void => {
    log.error({ err: error }, what);
  };
  const pages = options.withDashboard ? await loadPages() : null;
  const ledger = await Ledger.open(options.ledger);
  await ledger.beginWriting();
  const keeper = new SummaryKeeper(ledger.database, (error) => {
    onError('Summaries could not be recomputed; it is tried again', error);
  });
  const sink = new LedgerSink(ledger, () => {
    keeper.nudge();
  });
  const product = new Product(ledger, options.ledger.location, onError);
  const server = createHttpServer({
    secrets: options.secrets,
    sink: (delivery) => sink.take(delivery),
    reports:
      pages === null ? null : { queries: product.queries, databaseFor: (sample) => product.databaseFor(sample), pages },
    metrics: new Metrics(),
    hosts: hostsOf(options.host),
    checkReady: async () => {
      await ledger.extent();
    },
    onError,
  });
  await listen(server, options.port, options.host);
  if (pages !== null) await product.begin({ empty: options.empty, nowSeconds: Math.floor(Date.now() / 1000) });
  keeper.nudge();
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    settled: () => product.settled(),
    stop: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      // Again and again: a connection that was answering is idle only later, and a page that polls would keep it.
      const idle = setInterval(() => {
        server.closeIdleConnections();
      }, 50);
      const force = setTimeout(() => {
        server.closeAllConnections();
      }, GRACE_MS);
      await closed;
      clearTimeout(force);
      clearInterval(idle);
      await sink.idle();
      await keeper.stop();
      await product.close();
      await ledger.close();
    },
  };
}
