import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes text as fast as the reader takes it. */
export async function writeText(output: Writable, parts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const part of parts) if (!output.write(part)) await once(output, 'drain');
}

/** Results on stdout, one JSON object per line. */
export function writeLines(objects: readonly object[]): void {
  for (const object of objects) process.stdout.write(`${JSON.stringify(object)}\n`);
}

/** Whether the output is for a person: on a terminal, unless JSON is requested. */
export function isForPerson({ json }: { readonly json?: boolean }): boolean {
  return json !== true && process.stdout.isTTY;
}

/** Writes a result: sentences for a person, one JSON object for a program. */
export function writeResult(
  options: { readonly json?: boolean },
  object: object,
  sentences: () => readonly string[],
): void {
  if (isForPerson(options)) process.stdout.write(sentences().map(printable).join(''));
  else writeLines([object]);
}

/** A line without control sequences of terminals: names and notes may contain any text. */
function printable(line: string): string {
  return `${line.replaceAll(/\p{Cc}/gu, '\u{fffd}')}\n`;
}

/** The result of a dry run, with `would be` in its outcome: `imported` would be misread. */
export function wouldBe<Planned extends { readonly outcome: 'imported' | 'unchanged' }>(
  planned: Planned,
): Omit<Planned, 'outcome'> & { readonly outcome: 'would import' | 'unchanged' } {
  return { ...planned, outcome: planned.outcome === 'imported' ? 'would import' : 'unchanged' };
}
