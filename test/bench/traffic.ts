import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { simulate } from '../../services/simulate/simulate.ts';

/** The traffic of every bench ends here, so that its reports can name their days. */
export const END_AT = Date.UTC(2026, 9, 31) / 1000;
export const QUARTER_DAYS = 90;
const LINES_AT_ONCE = 20_000;

export interface Traffic {
  readonly threads: number;
  readonly days: number;
  readonly seed: number;
}

async function write(out: WriteStream, lines: readonly string[]): Promise<void> {
  if (lines.length > 0 && !out.write(`${lines.join('\n')}\n`)) await once(out, 'drain');
}

async function end(out: WriteStream): Promise<void> {
  out.end();
  await finished(out);
}

/**
 * Writes simulated events to a file, the last `tail.events` of them to a file of their own.
 * @returns how many events are in both
 */
export async function writeTraffic(
  path: string,
  traffic: Traffic,
  tail: { readonly path: string; readonly events: number } | null = null,
): Promise<number> {
  const out = createWriteStream(path);
  const kept = tail?.events ?? 0;
  const lines: string[] = [];
  let events = 0;
  for (const event of simulate({ ...traffic, end_at: END_AT })) {
    lines.push(event);
    events += 1;
    if (lines.length >= kept + LINES_AT_ONCE) await write(out, lines.splice(0, LINES_AT_ONCE));
  }
  await write(out, lines.splice(0, Math.max(0, lines.length - kept)));
  await end(out);
  if (tail !== null) {
    const last = createWriteStream(tail.path);
    await write(last, lines);
    await end(last);
  }
  return events;
}
