import { handedOver } from '@ctwa-ledger/schemas/hosted-request.ts';
import type { Handle } from '@sveltejs/kit';

import { readFilters } from '$lib/filters/filters.ts';
import { shown, visibleText } from '$lib/server/control-characters.ts';

/** @throws Error when the page is served by anything but the server that hands over what pages need. */
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
    evidencePack: (key) => reports.evidencePack(key),
    changes: hosted.changes?.(filters.sample) ?? null,
    about: hosted.about,
    processFigures: async () => (await hosted.process?.()) ?? null,
  };
}

/** Nothing that a link or a form carries reaches a page as a raw control character; what the ledger answers never does. */
export const handle: Handle = ({ event, resolve }) => {
  event.locals = localsOf(event);
  return resolve(event, { transformPageChunk: ({ html }) => visibleText(html) });
};
