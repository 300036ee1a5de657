import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';

import { quoted, type Repair } from '../filters/filters.ts';

/** A tolerance for volumes, as typed: the larger of both counts for each row. */
export interface TriedTolerance {
  readonly percent: string;
  readonly messages: string;
}

/** The tolerance that an address asks to try; null where it asks for none. */
export function readTolerance(params: URLSearchParams): {
  readonly tolerance: TriedTolerance | null;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const [percent, messages] = [textIn(params, 'percent'), textIn(params, 'messages')];
  if (percent === '' && messages === '') return { tolerance: null, repairs: [] };
  if (!/^\d{1,3}(\.\d{1,4})?$/.test(percent))
    return {
      tolerance: null,
      repairs: [{ notice: `percent: ${quoted(percent)} is not a number like 0.5; no tolerance is tried.` }],
    };
  if (!/^\d{1,9}$/.test(messages))
    return {
      tolerance: null,
      repairs: [{ notice: `messages: ${quoted(messages)} is not a whole number like 1; no tolerance is tried.` }],
    };
  return { tolerance: { percent, messages }, repairs: [] };
}
