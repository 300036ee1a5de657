/** The number of changed letters and swapped neighbours that turn one text into another. */
function distance(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_, i) =>
    Array.from({ length: other.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= one.length; i++)
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        best = Math.min(best, at(i - 2, j - 2) + 1);
      const row = rows[i];
      if (row !== undefined) row[j] = best;
    }
  return at(one.length, other.length);
}

/** Longer texts are no typing mistakes: names are shorter. */
const MAX_CHARACTERS = 60;
/** Distance of a name that begins with the written text: a little more than one wrong letter. */
const OF_A_BEGINNING = 1.5;

/** The known name that was probably meant; null when none is near. */
export function nearest<Name extends string>(written: string, known: readonly Name[]): Name | null {
  const text = written.toLowerCase();
  if (text === '' || text.length > MAX_CHARACTERS) return null;
  let found: Name | null = null;
  let least = Infinity;
  for (const name of known) {
    const lower = name.toLowerCase();
    const far = distance(text, lower);
    const isBeginning = lower.startsWith(text) || text.startsWith(lower);
    const size = isBeginning && lower !== '' ? Math.min(far, OF_A_BEGINNING) : far;
    if (size < least) [found, least] = [name, size];
  }
  return least <= Math.max(2, text.length / 3) ? found : null;
}

/** ` Did you mean messages?` for the end of an error message, or an empty text. */
export function didYouMean(written: string, known: readonly string[]): string {
  const name = nearest(written, known);
  return name === null ? '' : ` Did you mean ${name}?`;
}
