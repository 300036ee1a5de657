import { Metrics } from '../http/metrics.ts';
import { createHttpServer } from '../http/server.ts';
import { Ledger, type OpenOptions } from '../ledger/ledger.ts';
import { beginListening, createLog, type Serving } from './listening.ts';
import { aboutProduct } from './about.ts';
import { Opening } from './opening.ts';
import { hostsOf, loadPages } from './built-pages.ts';
import { ShownLedger } from '../pages/product.ts';

export interface DashboardOptions {
  readonly ledger: Pick<OpenOptions, 'location' | 'database' | 'command'>;
  readonly host: string;
  readonly port: number;
  /** Remove the sample data. */
  readonly empty: boolean;
}

interface Opened {
  readonly ledger: Ledger;
  readonly product: ShownLedger;
  readonly close: () => Promise<void>;
}

async function open(options: DashboardOptions, onError: (what: string, error: unknown) => void): Promise<Opened> {
  const ledger = await Ledger.openExisting(options.ledger);
  try {
    const product = new ShownLedger(ledger, options.ledger.location, onError);
    await product.begin({ empty: options.empty, nowSeconds: Math.floor(Date.now() / 1000) });
    return {
      ledger,
      product,
      close: async () => {
        await product.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/**
 * Pages and API of a ledger that other processes write. It listens at once. Until there is a ledger, readiness, pages
 * and API say what they wait for.
 */
export async function serveDashboard(options: DashboardOptions): Promise<Serving> {
  const log = createLog();
  const onError = (what: string, error: unknown): void => {
    log.error({ err: error }, what);
  };
  const pages = await loadPages();
  const opening = new Opening(
    () => open(options, onError),
    (reason) => {
      log.warn(`Waiting: ${reason}`);
    },
  );
  const server = createHttpServer({
    secrets: { appSecret: null, verifyToken: null },
    sink: null,
    reports: {
      queries: (sample, isReading) => opening.demand().product.queriesOf(sample, isReading),
      // This process only reads, so its pages change nothing.
      changes: null,
      // Consumers are other processes with their own figures.
      process: null,
      about: aboutProduct(options.ledger),
      ledgerFor: (sample) => opening.demand().product.ledgerFor(sample),
      sendCheck: (...asked) => opening.demand().product.sendCheckFor(...asked),
      pages,
      waitingFor: () => opening.waitingFor,
      exports: () => null,
    },
    metrics: new Metrics(),
    hosts: hostsOf(options.host),
    checkReady: async () => {
      await opening.demand().ledger.checkReachable();
    },
    onError,
  });
  try {
    const listening = await beginListening(server, options);
    return {
      url: listening.url,
      loaded: async () => {
        await opening.over;
        await opening.opened?.product.loaded();
      },
      stop: async () => {
        await listening.close();
        await opening.stop();
      },
    };
  } catch (error) {
    await opening.stop();
    throw error;
  }
}
