import type { Server } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from '../http/metrics.ts';
import { createHttpServer } from '../http/server.ts';

/** What the probes of a process report. */
interface ProbedState {
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whether the background work of the process is still running. */
  readonly isAlive?: () => boolean;
  /** Throws with the reason when the process cannot work now. */
  readonly checkReady: () => Promise<void>;
}

/** A server with `/healthz`, `/readyz` and `/metrics` only, for a process without pages, API and webhook. */
export function probeServer({ log, ...state }: ProbedState): Server {
  return createHttpServer({
    ...state,
    secrets: { appSecret: null, verifyToken: null },
    sink: null,
    reports: null,
    hosts: null,
    onError: (what, error) => {
      log.error({ err: error }, what);
    },
  });
}
