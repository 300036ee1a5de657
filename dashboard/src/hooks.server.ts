import { handedOver } from '@ctwa-ledger/schemas/hosted-request.ts';
import type { Handle } from '@sveltejs/kit';

import { readFilters } from '$lib/filters/filters.ts';
import { shown, visibleText } from '$lib/server/control-characters.ts';

/** @throws Error when another server than ours serves the page: only ours passes what pages need */
function localsOf({ platform, url }: Parameters<Handle>[0]['event']): App.Locals {
  const hosted = platform === undefined ? undefined : handedOver(platform.req);
  if (hosted === undefined)
    throw new Error(
      'The dashboard has no ledger to ask: nothing was handed over with the request. ' +
        'It only works inside the server that `npx ctwa-ledger start` runs.',
    );
  const filters = readFilters(url.searchParams).state;
  const reports = hosted.reports(filters.sample);
  return {
    filters,
    reports: shown(reports),
    monthReportArchive: (period_id) => reports.monthReportArchive(period_id),
    evidencePack: (of) => reports.evidencePack(of),
    changes: hosted.changes?.(filters.sample) ?? null,
    about: hosted.about,
    processFigures: async () => (await hosted.process?.()) ?? null,
  };
}

/** Control characters in links and forms never reach a page as such, and the ledger's answers contain none. */
export const handle: Handle = ({ event, resolve }) => {
  event.locals = localsOf(event);
  return resolve(event, { transformPageChunk: ({ html }) => visibleText(html) });
};
