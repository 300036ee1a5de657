import { readFileSync } from 'node:fs';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockReader, readBlocks } from '../../services/clickhouse/columns/reader.ts';
import { BlockWriter, encodeRows, type Field } from '../../services/clickhouse/columns/writer.ts';
import { LedgerAwayError, ActionableError } from '../../services/clickhouse/errors.ts';
import { EVENT_SELECTION, eventsOfBlocks, EventsWriter, isSameEvent } from '../../services/ledger/events/event-rows.ts';
import { parsed } from '../support/expected-rows.ts';
import { inputArbitrary } from '../oracle/arbitraries.ts';

interface Row {
  readonly free: string;
  readonly repeated: string;
  readonly at: number;
  readonly small: number;
  readonly wide: bigint;
  readonly signed: number;
}

const FIELDS: readonly Field<Row>[] = [
  { name: 'free', kind: 'text', of: (r) => r.free },
  { name: 'repeated', kind: 'repeats', of: (r) => r.repeated },
  { name: 'at', kind: 'seconds', of: (r) => r.at },
  { name: 'small', kind: 'u16', of: (r) => r.small },
  { name: 'wide', kind: 'u64', of: (r) => r.wide },
  { name: 'signed', kind: 'i64', of: (r) => r.signed, absent: -1 },
];

const text = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ maxLength: 300 }),
  fc.constantFrom('\0', "'", '\\', '\n', 'a'.repeat(127), 'a'.repeat(128), 'é'.repeat(96), '😀'.repeat(64)),
);
const row: fc.Arbitrary<Row> = fc.record({
  free: text,
  repeated: fc.oneof(fc.constantFrom('', 'sent', 'delivered'), text),
  at: fc.oneof(fc.constantFrom(0, 0xffffffff), fc.nat()),
  small: fc.nat(0xffff),
  wide: fc.oneof(fc.constantFrom(0n, 1n, (1n << 63n) - 1n, (1n << 64n) - 1n), fc.bigInt(0n, (1n << 64n) - 1n)),
  signed: fc.oneof(fc.constantFrom(-1, 0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER), fc.integer()),
});

/** The rows of blocks, as they were before they were written. */
function rowsOf(chunks: readonly Uint8Array[]): Row[] {
  return readBlocks(chunks).flatMap((block) => {
    const free = block.text('free');
    const repeated = block.text('repeated');
    const wide = block.text('wide', '0');
    const signed = block.text('signed', '-1');
    const at = block.number('at');
    const small = block.number('small');
    return Array.from({ length: block.rows }, (_, i) => ({
      free: free.at(i),
      repeated: repeated.at(i),
      at: at.at(i),
      small: small.at(i),
      wide: BigInt(wide.at(i)),
      signed: Number(signed.at(i)),
    }));
  });
}

describe('columns', () => {
  it('come back as the rows that they were written from', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        expect(rowsOf(encodeRows(FIELDS, rows).chunks)).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it('come back the same in whatever pieces they arrive, several blocks one after another', () => {
    const blocks = fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { maxLength: 4 });
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 400 }), (several, size) => {
        const bytes = Buffer.concat(several.flatMap((rows) => encodeRows(FIELDS, rows).chunks));
        const pieces = [];
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
        expect(rowsOf(pieces)).toEqual(several.flat());
      }),
      { numRuns: 200 },
    );
  });

  it.each([255, 256, 257, 65_535, 65_536, 65_537])('name %i different repeating texts in one block', (different) => {
    const rows = Array.from({ length: different + 3 }, (_, i) => `t${i % different}`);
    const { chunks } = encodeRows<string>([{ name: 'repeated', kind: 'repeats', of: (value) => value }], rows);
    const cells = readBlocks(chunks)[0]?.text('repeated');
    expect(rows.map((_, i) => cells?.at(i))).toEqual(rows);
  });

  it('carry a text of 3 MB among empty ones', () => {
    const long = 'ü'.repeat(1_500_000);
    const rows = ['', '', long, '', 'x', ''];
    const { chunks } = encodeRows<string>([{ name: 'free', kind: 'text', of: (value) => value }], rows);
    const cells = readBlocks(chunks)[0]?.text('free');
    expect(rows.map((_, i) => cells?.at(i))).toEqual(rows);
  });

  it('leave out what has its default in every row', () => {
    const rows = [{ free: 'a', repeated: '', at: 0, small: 0, wide: 0n, signed: -1 }];
    expect(encodeRows(FIELDS, rows).columns).toEqual([{ name: 'free', type: 'String' }]);
  });

  it('of rows of several kinds have the default where a row puts nothing', () => {
    const writer = new BlockWriter();
    const putText = writer.cells<string>([{ name: 'free', kind: 'text', of: (value) => value }]);
    const putNumber = writer.cells<number>([{ name: 'signed', kind: 'i64', of: (value) => value, absent: -1 }]);
    putText('first');
    writer.endRow();
    putNumber(7);
    writer.endRow();
    writer.endRow();
    const [block] = readBlocks(writer.encode().chunks);
    expect([0, 1, 2].map((i) => [block?.text('free').at(i), block?.text('signed').at(i)])).toEqual([
      ['first', '-1'],
      ['', '7'],
      ['', '-1'],
    ]);
  });

  it('that end in the middle are no answer', () => {
    const bytes = Buffer.concat(
      encodeRows(FIELDS, [{ free: 'abc', repeated: 'x', at: 1, small: 2, wide: 3n, signed: 4 }]).chunks,
    );
    for (let length = 1; length < bytes.length; length++)
      expect(() => readBlocks([bytes.subarray(0, length)]), `${length} bytes`).toThrow(LedgerAwayError);
  });

  it('of a type that is not known are refused by its name', () => {
    const bytes = Buffer.from([1, 1, 1, 'x'.charCodeAt(0), 4, ...Buffer.from('UUID')]);
    expect(() => new BlockReader().push(bytes)).toThrow(ActionableError);
    expect(() => new BlockReader().push(bytes)).toThrow('UUID');
  });
});

describe('events as columns', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(inputArbitrary(), (input) => {
        const events: LedgerEvent[] = parsed(input.events);
        const writer = new EventsWriter();
        for (const event of events) writer.add(event);
        const back = eventsOfBlocks(readBlocks(writer.encode(5n).chunks));
        expect(back).toEqual(events);
        expect(back.every((event, i) => isSameEvent(event, events[i] as LedgerEvent))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('columns of events', () => {
  it('are those that the migrations create', () => {
    const sqlOf = (name: string): string => readFileSync(new URL(`../../sql/${name}`, import.meta.url), 'utf8');
    const table = /CREATE TABLE IF NOT EXISTS events\n\(\n(.*?)\n\)\nENGINE/s.exec(sqlOf('0001_events.sql'))?.[1] ?? '';
    const created = [...table.matchAll(/^ {4}(\w+) [A-Z]/gm)].map(([, name]) => name);
    const added = ['0010_field.sql', '0047_identities.sql']
      .flatMap((name) => [...sqlOf(name).matchAll(/ALTER TABLE events (ADD COLUMN .*);$/gm)])
      .flatMap(([, list]) => [...list!.matchAll(/IF NOT EXISTS (\w+)/g)].map(([, name]) => name));
    const computed = ['variant', 'landing_rank'];
    expect(EVENT_SELECTION.split(', ').sort()).toEqual(
      [...created, ...added].filter((name) => !computed.includes(name!)).sort(),
    );
  });
});
