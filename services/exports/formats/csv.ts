import { csvText } from '../csv.ts';
import type { Encoding } from './format.ts';

export async function* encodeCsv({ columns, rows }: Encoding): AsyncGenerator<string> {
  let before = csvText([columns.map(({ name }) => name)]);
  for await (const batch of rows) {
    yield before + csvText(batch);
    before = '';
  }
  if (before !== '') yield before;
}
