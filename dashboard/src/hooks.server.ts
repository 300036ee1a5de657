import type { Handle } from '@sveltejs/kit';

import { visibleText } from '$lib/server/control-characters.ts';

/** Nothing that a link or a form carries reaches a page as a raw control character; what the ledger answers never does. */
export const handle: Handle = ({ event, resolve }) =>
  resolve(event, { transformPageChunk: ({ html }) => visibleText(html) });
