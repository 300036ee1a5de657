import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { Metrics } from '../http/metrics.ts';
import { createHttpServer } from '../http/server.ts';
import { SummaryKeeper } from '../ledger/summary-keeper.ts';
import { LedgerSink, type WebhookSecrets } from '../ingest/webhook.ts';
import { beginListening, createLog, type Serving } from './listening.ts';
import { hostsOf, loadPages } from './pages.ts';
import { Product } from './product.ts';

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

/** Runs the server until it is stopped. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const log = createLog();
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
      pages === null
        ? null
        : {
            queries: product.queries,
            databaseFor: (sample) => product.databaseFor(sample),
            pages,
            waitingFor: () => null,
          },
    metrics: new Metrics(),
    hosts: hostsOf(options.host),
    checkReady: () => ledger.checkReachable(),
    onError,
  });
  const listening = await beginListening(server, options);
  if (pages !== null) await product.begin({ empty: options.empty, nowSeconds: Math.floor(Date.now() / 1000) });
  keeper.nudge();
  return {
    url: listening.url,
    settled: () => product.settled(),
    stop: async () => {
      await listening.close();
      await sink.idle();
      await keeper.stop();
      await product.close();
      await ledger.close();
    },
  };
}
