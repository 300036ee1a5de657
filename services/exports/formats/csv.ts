import { streamLines, textOfLines } from '../csv-lines.ts';
import { csvText } from '../csv.ts';
import type { Encoding, StatementEncoding } from './format.ts';

export async function* encodeCsv({ columns, rows }: Encoding): AsyncGenerator<string> {
  let before = csvText([columns.map(({ name }) => name)]);
  for await (const batch of rows) {
    yield before + csvText(batch);
    before = '';
  }
  if (before !== '') yield before;
}

/** The same bytes, from lines that ClickHouse writes. */
export async function* encodeCsvStatement(encoding: StatementEncoding): AsyncGenerator<string> {
  const { columns, statement, reading, passage } = encoding;
  yield csvText([columns.map(({ name }) => name)]);
  const also = { kind: passage.kindSql(statement) };
  for await (const block of streamLines(reading, statement, passage.wanted, also)) {
    const kinds = block.text('kind');
    const times = new Map<string, number>();
    for (let row = 0; row < block.rows; row++) times.set(kinds.at(row), (times.get(kinds.at(row)) ?? 0) + 1);
    for (const [kind, rows] of times) passage.count(kind, rows);
    yield* textOfLines(block);
  }
}
