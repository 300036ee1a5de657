import type { Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { RequestEvent } from '@sveltejs/kit';

/** What the Node server around the dashboard hangs on each request before it calls the built handler. */
interface HostedRequest {
  readonly ctwa?: { readonly reports?: Reports };
}

/**
 * The named queries, as handed over with the request: the bundle has its own copy of every module, so module state of
 * the outer server cannot be reached from here.
 *
 * @throws Error when the page is served by anything but that server.
 */
export function reportsOf(event: Pick<RequestEvent, 'platform'>): Reports {
  const request: HostedRequest | undefined = event.platform?.req as (App.Platform['req'] & HostedRequest) | undefined;
  const reports = request?.ctwa?.reports;
  if (!reports) {
    throw new Error(
      'The dashboard has no ledger to ask: the request carries no `ctwa.reports`. ' +
        'It only works inside the server that `npx ctwa-ledger start` runs.',
    );
  }
  return reports;
}
