import { existsSync } from 'node:fs';
import { MAX_FORM_BYTES, type PageHandler } from '../http/server.ts';
import { ActionableError } from '../clickhouse/errors.ts';

const DASHBOARD = new URL('../../dashboard/build/handler.js', import.meta.url);

/** The built dashboard. */
export async function loadPages(): Promise<PageHandler> {
  if (!existsSync(DASHBOARD)) throw new ActionableError('The dashboard is not built. Run: npm run build');
  // The built handler reads both when it is imported. The outer server sets the header with the protocol.
  process.env['PROTOCOL_HEADER'] = 'x-forwarded-proto';
  process.env['BODY_SIZE_LIMIT'] = String(MAX_FORM_BYTES);
  const { handler } = (await import(DASHBOARD.href)) as { handler: PageHandler };
  return withLostFiles(handler);
}

/**
 * Pages of which a file can be lost while they are served, because the dashboard is built anew: the request ends. The
 * built handler does not listen for errors of the files that it sends, and one of them would end the process, and with
 * it the receiver.
 */
export function withLostFiles(handler: PageHandler): PageHandler {
  return (request, response) => {
    response.on('pipe', (file) => file.on('error', () => response.destroy()));
    handler(request, response);
  };
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/**
 * The host names at which pages and API answer. On loopback: those of this machine and of `ORIGIN`. Elsewhere: any,
 * unless `ORIGIN` names the address that people open. In a container every address is elsewhere, and its port may be
 * published on loopback only.
 */
export function hostsOf(host: string): ReadonlySet<string> | null {
  const origin = process.env['ORIGIN'];
  const told = origin !== undefined && URL.canParse(origin) ? new URL(origin).hostname : null;
  if (!LOOPBACK.includes(host) && told === null) return null;
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  return new Set(told === null ? names : [...names, told]);
}
