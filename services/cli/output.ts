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
