import { z } from 'zod';
import { count, utcInstant } from './cells.ts';

/** What stands in the place of an erased name: the calling code or country of the name, by which messages are priced. */
const ERASED_NAME = /^(?:\d{1,8}\.|[A-Z]{2}\.)?erased\.[0-9a-f]{32}$/;

/** Whether a customer's name is the token of one that was erased. */
export function isErasedName(name: string): boolean {
  return ERASED_NAME.test(name);
}

/** An erasure of a customer. */
export const erasureRow = z.object({
  erasure_id: z.string().describe('Id of the erasure.'),
  began_at: utcInstant.describe('When it began.'),
  ended_at: utcInstant.nullable().describe('When it was done; empty while it is not.'),
  erased_by: z.string().describe('Who erased the customer.'),
  phone_number_id: z.string().describe('The business number at which the customer was erased; empty: at all.'),
  tokens: z.string().describe("What stands in the place of the customer's names, with spaces between."),
  rows: count.describe('How many rows of tables were rewritten; of an interrupted erasure those that were left.'),
  files: count.describe(
    'How many exported files may name the customer: they were written before, and are not changed.',
  ),
});
export type ErasureRow = z.infer<typeof erasureRow>;
