import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes text as fast as it is taken, never ahead of it. */
export async function writeText(output: Writable, parts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const part of parts) if (!output.write(part)) await once(output, 'drain');
}

/** Results on stdout, one JSON object per line. */
export function writeLines(objects: readonly object[]): void {
  for (const object of objects) process.stdout.write(`${JSON.stringify(object)}\n`);
}

/** Whether results are written for a person: on a terminal, unless JSON is asked for. */
export function isForPerson({ json }: { readonly json?: boolean }): boolean {
  return json !== true && process.stdout.isTTY;
}

/** A result in sentences for a person, as one JSON object for a machine. */
export function writeResult(
  options: { readonly json?: boolean },
  object: object,
  sentences: () => readonly string[],
): void {
  if (isForPerson(options)) process.stdout.write(sentences().map(printable).join(''));
  else writeLines([object]);
}

/** A line without what a terminal would take for a command: names and notes are what somebody wrote. */
function printable(line: string): string {
  return `${line.replaceAll(/\p{Cc}/gu, '\u{fffd}')}\n`;
}

/** What an import would do, said so: `imported` of something that was not is misread. */
export function wouldBe<Planned extends { readonly outcome: 'imported' | 'unchanged' }>(
  planned: Planned,
): Omit<Planned, 'outcome'> & { readonly outcome: 'would import' | 'unchanged' } {
  return { ...planned, outcome: planned.outcome === 'imported' ? 'would import' : 'unchanged' };
}
