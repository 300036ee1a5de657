import type { About } from '@ctwa-ledger/schemas/about.ts';
import type { OpenOptions } from '../ledger/ledger.ts';
import { LICENSE, VERSION } from '../version.ts';

/** What pages say of this product and of where its ledger is; no user and no password of a server. */
export function aboutProduct({ location, database }: Pick<OpenOptions, 'location' | 'database'>): About {
  const place =
    location.kind === 'embedded' ? location.dataDir : `${new URL(location.url).origin}, database ${database}`;
  return { version: VERSION, license: LICENSE, place };
}
