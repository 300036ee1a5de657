import { DateTime } from 'luxon';
import { simulate, type SimulateOptions } from '../../simulate/simulate.ts';
import { writeTextFile } from '../../exports/files.ts';
import { writeText } from '../output.ts';
import { UsageError } from '../settings.ts';

export interface SimulateTexts {
  readonly threads: string;
  readonly days: string;
  readonly seed: string;
  readonly end: string;
  readonly out?: string;
}

const CHUNK_CHARS = 256 * 1024;

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} "${text}" is not a whole number.`);
  return Number(text);
}

export async function simulateTraffic(texts: SimulateTexts): Promise<void> {
  const end = DateTime.fromISO(texts.end, { zone: 'utc' });
  if (!end.isValid) throw new UsageError(`--end "${texts.end}" is not a date; use YYYY-MM-DD.`);
  const options = {
    threads: whole('threads', texts.threads),
    days: whole('days', texts.days),
    seed: whole('seed', texts.seed),
    end_at: end.toSeconds(),
  };
  if (options.threads === 0 || options.days === 0) throw new UsageError('--threads and --days must be at least 1.');
  await (texts.out === undefined
    ? writeText(process.stdout, chunks(options))
    : writeTextFile(texts.out, chunks(options)));
}

function* chunks(options: SimulateOptions): Generator<string> {
  let text = '';
  for (const line of simulate(options)) {
    text += `${line}\n`;
    if (text.length < CHUNK_CHARS) continue;
    yield text;
    text = '';
  }
  yield text;
}
