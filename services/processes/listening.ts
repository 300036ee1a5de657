import type { Server } from 'node:http';
import { pino, type Logger } from 'pino';
import { ActionableError } from '../clickhouse/errors.ts';

/** How long requests may take to end after the process was asked to stop. */
const GRACE_MS = 10_000;

/** A process that serves until it is stopped. */
export interface Serving {
  readonly url: string;
  /** Resolves when what was started in the background, if anything, is complete. */
  readonly loaded: () => Promise<void>;
  /** Finishes what has begun, and closes everything. */
  readonly stop: () => Promise<void>;
}

/** The log, on stderr: stdout is for results. */
export function createLog(): Logger {
  const level = process.env['LOG_LEVEL'] ?? 'info';
  if (!(level in pino.levels.values) && level !== 'silent')
    throw new ActionableError(
      `LOG_LEVEL "${level}" must be one of ${Object.keys(pino.levels.values).join(', ')}, silent.`,
    );
  return pino({ level }, pino.destination(2));
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new ActionableError(`Port ${port} on ${host} is taken. Stop what uses it, or give another one with --port.`)
          : new ActionableError(`Cannot listen on ${host}:${port} (${error.message}).`),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** A server that listens, and a function that closes it. */
export interface Listening {
  readonly url: string;
  /** Takes no more requests; resolves when the current ones are answered, or their time is up. */
  readonly close: () => Promise<void>;
}

/** Makes a server listen. */
export async function beginListening(
  server: Server,
  options: { readonly host: string; readonly port: number },
): Promise<Listening> {
  await listen(server, options.port, options.host);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      // Repeated: a connection that is answering becomes idle later, and a page that polls would keep it open.
      const idle = setInterval(() => {
        server.closeIdleConnections();
      }, 50);
      const force = setTimeout(() => {
        server.closeAllConnections();
      }, GRACE_MS);
      await closed;
      clearTimeout(force);
      clearInterval(idle);
    },
  };
}
