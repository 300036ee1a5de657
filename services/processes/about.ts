import type { About } from '@ctwa-ledger/schemas/about.ts';
import type { OpenOptions } from '../ledger/ledger.ts';
import { LICENSE, VERSION } from '../version.ts';

/** Facts about this product and its ledger for pages, without user and password of a server. */
export function aboutProduct({ location, database }: Pick<OpenOptions, 'location' | 'database'>): About {
  const place =
    location.kind === 'embedded' ? location.dataDir : `${new URL(location.url).origin}, database ${database}`;
  return { version: VERSION, license: LICENSE, place };
}
