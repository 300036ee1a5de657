import { takesGzip } from '@ctwa-ledger/schemas/accepted-coding.ts';
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

/** Pages and their data are text that gzip makes a sixth of; archives are packed already, and static files at build time. */
function packed(request: Request, response: Response): Response {
  const type = response.headers.get('content-type') ?? '';
  if (response.body === null || !/^(text\/|application\/json)/.test(type)) return response;
  const headers = new Headers(response.headers);
  headers.append('vary', 'accept-encoding');
  const { body, status } = response;
  if (!takesGzip(request.headers.get('accept-encoding'))) return new Response(body, { status, headers });
  headers.set('content-encoding', 'gzip');
  headers.delete('content-length');
  return new Response(body.pipeThrough(new CompressionStream('gzip')), { status, headers });
}

/** Control characters in links and forms never reach a page as such, and the ledger's answers contain none. */
export const handle: Handle = async ({ event, resolve }) => {
  event.locals = localsOf(event);
  return packed(event.request, await resolve(event, { transformPageChunk: ({ html }) => visibleText(html) }));
};
