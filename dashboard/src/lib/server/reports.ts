import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { RequestEvent } from '@sveltejs/kit';

import { shown } from './control-characters.ts';

/** What the Node server around the dashboard hangs on each request before it calls the built handler. */
interface HostedRequest {
  readonly ctwa?: {
    readonly reports?: Reports;
    readonly changes?: Changes | null;
    readonly process?: (() => Promise<ProcessFigures>) | null;
  };
}

function hosted(event: Pick<RequestEvent, 'platform'>): HostedRequest['ctwa'] {
  const request: HostedRequest | undefined = event.platform?.req as (App.Platform['req'] & HostedRequest) | undefined;
  return request?.ctwa;
}

/**
 * The named queries, as handed over with the request: the bundle has its own copy of every module, so module state of
 * the outer server cannot be reached from here. Their texts can be shown as they are, control characters included.
 *
 * @throws Error when the page is served by anything but that server.
 */
export function reportsOf(event: Pick<RequestEvent, 'platform'>): Reports {
  const reports = hosted(event)?.reports;
  if (!reports) {
    throw new Error(
      'The dashboard has no ledger to ask: the request carries no `ctwa.reports`. ' +
        'It only works inside the server that `npx ctwa-ledger start` runs.',
    );
  }
  return shown(reports);
}

/** The archive of a report, byte for byte: nothing in it is shown on a page. */
export async function archiveOf(
  event: Pick<RequestEvent, 'platform'>,
  period_id: string,
  sample: boolean,
): ReturnType<Reports['monthReportArchive']> {
  return (await hosted(event)?.reports?.monthReportArchive(period_id, sample)) ?? null;
}

/** What pages may change, handed over in the same way; null where they only read. */
export function changesOf(event: Pick<RequestEvent, 'platform'>): Changes | null {
  return hosted(event)?.changes ?? null;
}

/** What the process behind the pages did since it started; null where it only reads. */
export async function processOf(event: Pick<RequestEvent, 'platform'>): Promise<ProcessFigures | null> {
  return (await hosted(event)?.process?.()) ?? null;
}
