import { describe, expect, it } from 'vitest';

import { pageOfTable, paging, type PageKey } from '../../services/reports/paging.ts';

const KEYS: readonly PageKey[] = [
  { sql: 'amount', type: 'Decimal(38, 8)' },
  { sql: 'at', type: 'Int64' },
  { sql: 'hash', type: 'UInt64' },
  { sql: 'id', type: 'String' },
];
const asked = (after: string) => ({ sort: { column: 'amount', descending: true }, after, limit: 2 });

describe('a page begins where its cursor says, or is the first one', () => {
  const cases: readonly [string, unknown, boolean][] = [
    ['as a page before gave it', ['-1.5', '-7', '18446744073709551615', "o'brien\n"], true],
    ['one value too few', ['1', '2', '3'], false],
    ['one too many', ['1', '2', '3', '4', '5'], false],
    ['a number that is none', ['1', 'two', '3', '4'], false],
    ['a number beyond its type', ['1', '2', '18446744073709551616', '4'], false],
    ['a negative one where there is none', ['1', '2', '-3', '4'], false],
    ['too many decimals', ['1.123456789', '2', '3', '4'], false],
    ['numbers for texts', [1, 2, 3, 4], false],
    ['no list', { length: 4 }, false],
  ];
  it.each(cases)('%s', (_, cursor, isUsed) => {
    const page = paging(asked(JSON.stringify(cursor)), KEYS);
    expect(page.where === 'true').toBe(!isUsed);
    expect(Object.keys(page.parameters)).toHaveLength(isUsed ? 4 : 0);
    expect(page.pageOf([]).is_found).toBe(isUsed);
  });

  it.each(['', 'null', '[', 'x'.repeat(6_000), '"1"'])('%s is no cursor', (after) => {
    const page = paging(asked(after), KEYS);
    expect(page.where).toBe('true');
    expect(page.pageOf([]).is_found).toBe(after === '');
  });

  it('names the next page when there is one row more', () => {
    const { pageOf } = paging(asked(''), KEYS);
    const row = (id: string) => ({ id, page_cursor: ['1', '2', '3', id] });
    expect(pageOf([row('a'), row('b')])).toEqual({
      ...{ rows: [{ id: 'a' }, { id: 'b' }], next: null, previous: null, is_found: true },
    });
    const { rows, next } = pageOf([row('a'), row('b'), row('c')]);
    expect(rows.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(paging(asked(next ?? ''), KEYS).parameters['page_3']).toBe('b');
  });

  const ROWS = ['a', 'b', 'c', 'd', 'e'];
  /** A table in memory, in the order that the paging asks for. */
  const readRows = (question: ReturnType<typeof asked> & { readonly before?: string }) => {
    const page = paging(question, [{ sql: 'id', type: 'String' }]);
    const start = page.parameters['page_0'] as string | undefined;
    const way = page.order.includes('DESC') ? -1 : 1;
    const rows = ROWS.toSorted((a, b) => way * a.localeCompare(b))
      .filter((id) => start === undefined || way * id.localeCompare(start) > 0)
      .slice(0, question.limit + 1)
      .map((id) => ({ id, page_cursor: [id] }));
    return Promise.resolve(page.pageOf(rows));
  };
  const read = async (place: { readonly after?: string; readonly before?: string }) => {
    const page = await pageOfTable({ ...asked(''), ...place }, readRows);
    return { ...page, rows: page.rows.map(({ id }) => id).join('') };
  };

  it('leads forwards and backwards over the same pages', async () => {
    const first = await read({});
    expect([first.rows, first.previous]).toEqual(['ed', null]);
    const second = await read({ after: first.next! });
    const third = await read({ after: second.next! });
    expect([second.rows, third.rows, third.next]).toEqual(['cb', 'a', null]);
    expect(await read({ before: third.previous! })).toEqual(second);
    expect(await read({ before: second.previous! })).toEqual(first);
  });

  it('begins with the first row where fewer rows come before than a page has, or the place is none', async () => {
    const first = await read({});
    expect(await read({ before: '["d"]' })).toEqual(first);
    expect(await read({ before: '["e"]' })).toEqual(first);
    expect(await read({ before: '[' })).toEqual({ ...first, is_found: false });
  });
});
