import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { countsOf, DataDirectory, succeed, withLedger, type CommandOptions } from '../support/ledger.ts';
import { deliveredStatus, envelope, statuses } from '../support/product.ts';
import { AT, lettersOf, message, messageIds } from '../support/stored.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

let databases = 0;

/** A ledger of its own for a test, in the engine that they all share. */
function newLedger(): { readonly database: string; readonly options: CommandOptions } {
  databases += 1;
  const database = `ctwa_case_${databases}`;
  return { database, options: { env: { CLICKHOUSE_DATABASE: database } } };
}

describe('input that is not one value a line', () => {
  const CASES = fileURLToPath(new URL('../cases/', import.meta.url));

  function body(id: string): object {
    return JSON.parse(envelope(statuses([deliveredStatus(id, AT)]))) as object;
  }

  it('takes envelopes in wrappers, and says which form the others have', async () => {
    const { database, options } = newLedger();
    const wrapped = await succeed(data, ['ingest', `${CASES}14-wrapped-envelopes.ndjson`], options);
    // Those that do not name the account are another copy of the same status.
    expect(countsOf(wrapped)).toEqual({ read: 7, stored: 2, duplicate: 2, rejected: 3 });
    const indented = await succeed(data, ['ingest', `${CASES}15-pretty-printed.json`], options);
    expect(countsOf(indented)).toEqual({ read: 1, stored: 0, duplicate: 1, rejected: 0 });
    expect(indented.stderr).toBe('');
    const listed = (await succeed(data, ['dead-letter', 'list'], options)).stdout.trimEnd().split('\n');
    expect(listed.map((letter) => JSON.parse(letter) as unknown)).toMatchObject([
      { position: '5', message: expect.stringContaining('This is the "value" of one change') as string },
      { position: '6', message: expect.stringContaining('This is the "value" of one change') as string },
      { position: '7', message: expect.stringContaining('Field "event" is "history"') as string },
    ]);
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.S1']);
    });
  });

  it('takes a list of 10,000 bodies, indented or on one line, and keeps only the bad one', async () => {
    const { database, options } = newLedger();
    const bodies: unknown[] = Array.from({ length: 10_000 }, (_, i) => body(`wamid.${i}`));
    const bad = { object: 'whatsapp_business_account', entry: 'lost' };
    bodies[7_000] = bad;
    const indented = JSON.stringify(bodies, null, 2);
    writeFileSync(data.file('list.json.gz'), gzipSync(indented));
    writeFileSync(data.file('list.ndjson'), JSON.stringify(bodies));
    const first = await succeed(data, ['ingest', data.file('list.json.gz')], options);
    expect(countsOf(first)).toEqual({ read: 10_000, stored: 9_999, duplicate: 0, rejected: 1 });
    const again = await succeed(data, ['ingest', data.file('list.ndjson')], options);
    expect(countsOf(again)).toEqual({ read: 10_000, stored: 0, duplicate: 9_999, rejected: 1 });
    await withLedger(data, database, async (ledger) => {
      const line = indented.slice(0, indented.indexOf('"lost"')).split('\n').length - 2;
      const letters = await lettersOf(ledger.database);
      expect([...letters.keys()].sort((a, b) => a - b)).toEqual([1, line]);
      expect(letters.get(1)).toEqual({ code: 'schema', raw: Buffer.from(JSON.stringify(bad)) });
      expect(JSON.parse(letters.get(line)!.raw.toString('utf8'))).toEqual(bad);
    });
  });

  it('takes several documents and lines behind them, in every encoding that a byte order mark names', async () => {
    const { database, options } = newLedger();
    const text = `${['A', 'B'].map((id) => JSON.stringify(message(id), null, 2)).join('\n')}\n\n${JSON.stringify(message('C'))}\nnonsense\n${JSON.stringify([message('D')], null, 2)}`;
    const windows = `\ufeff${text.replaceAll('\n', '\r\n')}`;
    const inputs = [Buffer.from(windows), Buffer.from(windows, 'utf16le'), Buffer.from(windows, 'utf16le').swap16()];
    for (const [i, input] of inputs.entries()) {
      const finished = await succeed(data, ['ingest', '-'], { ...options, input });
      const counts = i === 0 ? { stored: 4, duplicate: 0 } : { stored: 0, duplicate: 4 };
      expect(countsOf(finished)).toEqual({ read: 5, ...counts, rejected: 1 });
    }
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.A', 'wamid.B', 'wamid.C', 'wamid.D']);
      const line = text.slice(0, text.indexOf('nonsense')).split('\n').length;
      expect(await lettersOf(ledger.database)).toEqual(
        new Map([[line, { code: 'not_json', raw: Buffer.from('nonsense\r') }]]),
      );
    });
  });

  it('reads a broken value line by line, keeps every line, takes the rest and says where to correct it', async () => {
    const { database, options } = newLedger();
    const broken = JSON.stringify(message('broken'), null, 2).replace('"text"', '"text');
    const documents = [message('A'), message('B')].map((event) => JSON.stringify(event, null, 2));
    const cut = JSON.stringify(message('cut'), null, 2).slice(0, 60);
    const file = data.file('broken.json');
    writeFileSync(file, [documents[0]!, broken, documents[1]!, cut].join('\n'));
    const lines = [...broken.split('\n'), ...cut.split('\n')];
    const finished = await succeed(data, ['ingest', file], options);
    expect(countsOf(finished)).toEqual({ read: lines.length + 2, stored: 2, duplicate: 0, rejected: lines.length });
    const begins = documents[0]!.split('\n').length + 1;
    expect(finished.stderr).toMatch(
      `broken.json: The JSON that begins in line ${begins} cannot be read: a text in it does not end on its line.`,
    );
    expect(finished.stderr).toMatch('Correct it and run the file again');
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.A', 'wamid.B']);
      const letters = [...(await lettersOf(ledger.database))].sort(([a], [b]) => a - b);
      expect(letters.map(([, { raw }]) => raw.toString('utf8'))).toEqual(lines);
    });
  });

  it('takes the values of a list that is cut off, and says so', async () => {
    const { database, options } = newLedger();
    const whole = JSON.stringify([message('A'), message('B')], null, 2);
    writeFileSync(data.file('cut.json'), whole.slice(0, -2));
    const finished = await succeed(data, ['ingest', data.file('cut.json')], options);
    expect(countsOf(finished)).toEqual({ read: 2, stored: 2, duplicate: 0, rejected: 0 });
    expect(finished.stderr).toMatch('cut.json: It ends in the middle of a list.');
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.A', 'wamid.B']);
    });
  });

  it('keeps an indented value that is too large, and takes those around it', async () => {
    const { database, options } = newLedger();
    const large = { ...body('wamid.large'), note: 'x'.repeat(4 * 1024 * 1024) };
    const file = data.file('large.json');
    writeFileSync(file, [message('A'), large, message('B')].map((value) => JSON.stringify(value, null, 2)).join('\n'));
    const finished = await succeed(data, ['ingest', file], options);
    expect(countsOf(finished)).toEqual({ read: 3, stored: 2, duplicate: 0, rejected: 1 });
    await withLedger(data, database, async (ledger) => {
      const [letter] = (await lettersOf(ledger.database)).values();
      expect(letter?.code).toBe('too_large');
      expect(JSON.parse(letter!.raw.toString('utf8'))).toEqual(large);
    });
  });
});
