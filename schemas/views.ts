import { z } from 'zod';

/** Views of a ledger at most. */
export const MAX_VIEWS = 500;

const MAX_NAME_CHARACTERS = 80;
const MAX_QUERY_CHARACTERS = 4_000;

/** The name that a view is saved under. */
export const viewName = z
  .string()
  .trim()
  .min(1, 'a view needs a name')
  .max(MAX_NAME_CHARACTERS, `a name has ${MAX_NAME_CHARACTERS} characters at most`)
  .regex(/^[^\p{Cc}]*$/u, 'a name has no control characters');

/** A page with its filters, sort and columns, to be saved under a name. */
export const newView = z.strictObject({
  name: viewName,
  at: z.string().regex(/^\/(?:[a-z-]+(?:\/[a-z-]+)*)?$/, 'a view is of a page, like /ads'),
  query: z.string().max(MAX_QUERY_CHARACTERS, `an address has ${MAX_QUERY_CHARACTERS} characters at most`),
});
export type NewView = z.infer<typeof newView>;

/** A saved view, as report `saved-views` prints it. */
export const savedViewRow = z.object({
  view_id: z.string().describe('Id of the view.'),
  name: z.string().describe('Name of the view.'),
  at: z.string().describe('Address of its page, without what follows the question mark.'),
  query: z.string().describe('The end of the address of the page: filters, sort and columns.'),
});
export type SavedView = z.infer<typeof savedViewRow>;
