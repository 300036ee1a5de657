/** The texts that were typed in the forms of the page, so that they need not be typed again. */
export interface CloseTexts {
  readonly by: string;
  readonly note: string;
}

export const NOTHING_WRITTEN: CloseTexts = { by: '', note: '' };

const MAX_NAME_CHARACTERS = 100;
const MAX_NOTE_CHARACTERS = 1_000;

/**
 * What is wrong with a name and a note; null = nothing.
 * @param needs the word for the note if there must be one, else null
 */
export function problemIn({ by, note }: CloseTexts, needs: string | null): string | null {
  if (by === '') return 'Say who you are: the name is kept with the closing.';
  if (by.length > MAX_NAME_CHARACTERS) return `A name has ${MAX_NAME_CHARACTERS} characters at most.`;
  if (needs !== null && note === '') return `Say ${needs}: it is kept with the closing.`;
  if (note.length > MAX_NOTE_CHARACTERS) return `It has more than ${MAX_NOTE_CHARACTERS} characters: say it shorter.`;
  return null;
}
