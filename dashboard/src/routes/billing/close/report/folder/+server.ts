import { error } from '@sveltejs/kit';

import type { RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
  const archive = await event.locals.monthReportArchive(event.url.searchParams.get('closing') ?? '');
  if (archive === null) error(404, 'There is no report of such a closing.');
  const parts = archive.content[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return?.();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${archive.name}"`,
      'cache-control': 'private, no-cache',
    },
  });
};
