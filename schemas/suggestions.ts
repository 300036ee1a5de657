import { z } from 'zod';
import { LISTED, type Listed } from './asked.ts';

/** Filters whose values are suggested while somebody types. */
export type Suggested = Listed;

export const isSuggested = (name: string | null): name is Suggested => LISTED.some((listed) => listed === name);

export const suggestionRow = z.object({
  value: z.string(),
  /** Empty where the value is a name itself, or has none. */
  name: z.string(),
});
export type Suggestion = z.infer<typeof suggestionRow>;
