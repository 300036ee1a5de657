import { describe, expect, it } from 'vitest';

import { adKey } from '../../dashboard/src/lib/ads/table.ts';
import { meaningOf, sortedOnPage, tableParameters } from '../../dashboard/src/lib/table/columns.ts';
import {
  arranged,
  decimalValue,
  fixedTable,
  nextSort,
  pageAfter,
  readTable,
  sorted,
  tableSearch,
  timeValue,
  type Sort,
  type TableSpec,
  type Value,
} from '../../dashboard/src/lib/table/table.ts';

type Column = 'name' | 'messages';
const MAIN: TableSpec<Column> = {
  id: 'rows',
  is_main: true,
  columns: ['name', 'messages'],
  words_first: ['name'],
  default_sort: { column: 'messages', descending: true },
};
const OTHER: TableSpec<Column> = { ...MAIN, is_main: false };
const up = (column: Column): Sort<Column> => ({ column, descending: false });
const down = (column: Column): Sort<Column> => ({ column, descending: true });

/** A table whose files have other columns than it. */
const SPEC_OF_FILES: TableSpec = {
  id: 'files',
  is_main: true,
  columns: ['spend', 'name', 'change'],
  default_sort: { column: 'spend', descending: true },
};

describe('the address says how a table stands', () => {
  const cases: readonly [string, TableSpec<Column>, string, Sort<Column>, string, number][] = [
    ['its usual order', MAIN, '', down('messages'), '', 0],
    ['another column', MAIN, 'sort=name', up('name'), '', 0],
    ['downwards', MAIN, 'sort=-name', down('name'), '', 0],
    ['white space', MAIN, 'sort=%20-name%20', down('name'), '', 0],
    ['a page', MAIN, 'sort=name&after=b', up('name'), 'b', 0],
    ['of another table', MAIN, 'rows.sort=name&rows.after=b', down('messages'), '', 0],
    ['one that is not the main one', OTHER, 'rows.sort=name&rows.after=b&sort=x', up('name'), 'b', 0],
    ['no column of it', MAIN, 'sort=-clicks', down('messages'), '', 1],
    ['no column of any', MAIN, 'sort=--', down('messages'), '', 1],
    ['no key is so long', MAIN, `after=${'x'.repeat(3000)}`, down('messages'), '', 1],
  ];
  it.each(cases)('%s', (_, spec, query, sort, after, notices) => {
    const { state, repairs } = readTable(new URLSearchParams(query), spec);
    expect(state).toEqual({ sort, after, before: '' });
    expect(repairs).toHaveLength(notices);
    for (const { notice } of repairs) expect(notice.length).toBeLessThan(200);
  });
});

describe('a link of a table changes that table alone', () => {
  const cases: readonly [string, string, Parameters<typeof tableSearch<Column>>[2], string][] = [
    ['the usual order needs no word', 'tz=Asia%2FTokyo&sort=name', { sort: down('messages') }, '?tz=Asia%2FTokyo#rows'],
    ['nothing is left', 'sort=name&after=b', { sort: down('messages') }, '#rows'],
    ['another order begins with its first page', 'after=b&q=1', { sort: up('name') }, '?q=1&sort=name#rows'],
    ['the next page keeps the order', 'sort=name', { after: 'b&c' }, '?sort=name&after=b%26c#rows'],
    ['the first page', 'sort=name&after=b', { after: '' }, '?sort=name#rows'],
    ['not the action of a form', '/replay=&q=1', { after: 'x' }, '?q=1&after=x#rows'],
  ];
  it.each(cases)('%s', (_, query, change, expected) => {
    expect(tableSearch(new URLSearchParams(query), MAIN, change)).toBe(expected);
  });
});

describe('a click on the head of a column', () => {
  const cases: readonly [string, Column, Sort<Column>, Sort<Column>][] = [
    ['of figures shows what is most', 'messages', up('name'), down('messages')],
    ['again, what is least', 'messages', down('messages'), up('messages')],
    ['of words begins with A', 'name', down('messages'), up('name')],
    ['and again with Z', 'name', up('name'), down('name')],
  ];
  it.each(cases)('%s', (_, column, current, expected) => {
    expect(nextSort(MAIN, column, current)).toEqual(expected);
  });
});

describe('rows in the order asked for', () => {
  interface Row {
    readonly name: string;
    readonly messages: number | null;
  }
  const rows: readonly Row[] = [
    { name: 'b10', messages: 5 },
    { name: 'b9', messages: null },
    { name: 'a', messages: 5 },
    { name: 'c', messages: 70 },
  ];
  const VALUES: Readonly<Record<Column, (row: Row) => Value>> = {
    name: (row) => row.name,
    messages: (row) => row.messages,
  };
  const cases: readonly [string, Sort<Column>, string][] = [
    ['most first, equal ones by key, the unknown last', down('messages'), 'c a b10 b9'],
    ['least first, and the unknown still last', up('messages'), 'a b10 c b9'],
    ['numbers inside words count as numbers', up('name'), 'a b9 b10 c'],
    ['downwards', down('name'), 'c b10 b9 a'],
  ];
  it.each(cases)('%s', (_, sort, expected) => {
    const names = sorted(rows, sort, VALUES, (row) => row.name).map((row) => row.name);
    expect(names.join(' ')).toBe(expected);
  });

  it('shows a page of them, and says when its beginning is gone', () => {
    const spec = { ...MAIN, page_rows: 2 };
    const page = (query: string) => arranged(rows, new URLSearchParams(query), spec, VALUES, (row) => row.name);
    expect(page('after=a').rows.map((row) => row.name)).toEqual(['b10', 'b9']);
    expect(page('after=a').notices).toEqual([]);
    expect(page('sort=name&after=b10')).toMatchObject({ rows: [rows[3]], next: null, place: { skipped: 3, total: 4 } });
    expect(page('after=gone&sort=x').rows.map((row) => row.name)).toEqual(['c', 'a']);
    expect(page('after=gone&sort=x').notices).toHaveLength(2);
  });
});

describe('pages of ads begin after a row, wherever that is by now', () => {
  const rows = ['a', 'b', 'c', 'd', 'e'].map((ad_id) => ({ ad_id, source_type: 'ad' }));
  const cases: readonly [string, string, string[], string | null, boolean][] = [
    ['the first page', '', ['a', 'b'], 'ad:b', true],
    ['the second', 'ad:b', ['c', 'd'], 'ad:d', true],
    ['the last', 'ad:d', ['e'], null, true],
    ['after the last row', 'ad:e', [], null, true],
    ['a row that is gone', 'ad:x', ['a', 'b'], 'ad:b', false],
  ];
  it.each(cases)('%s', (_, after, ids, next, is_found) => {
    const page = pageAfter(rows, after, adKey, 2);
    expect(page.rows.map((row) => row.ad_id)).toEqual(ids);
    expect([page.next, page.is_found]).toEqual([next, is_found]);
  });

  it('tells an ad from a post of the same id', () => {
    expect(adKey({ ad_id: '1', source_type: 'ad' })).not.toBe(adKey({ ad_id: '1', source_type: 'post' }));
  });
});

describe('what a head says when somebody points at it', () => {
  it('is what reports say of the column, but for how files write it', () => {
    expect(meaningOf('ad_id')).toBe('Meta’s id of the ad or post.');
    expect(meaningOf('first_day')).toBe('First day.');
    expect(meaningOf('reply_rate')).toBe('Replied to of those that are mature.');
    expect(meaningOf('savings')).toBe('List cost less billed cost, in the currency of the row.');
    expect(meaningOf('messages')).toBe('Number of messages.');
    expect(meaningOf('no_such_column')).toBeUndefined();
  });
});

describe('the files of a table', () => {
  const table = {
    spec: { ...SPEC_OF_FILES },
    key: ['ad_id', 'currency'],
    columns: [{ column: 'spend' }, { column: 'name', of: ['ad_name', 'headline'] }, { column: 'change', of: [] }],
  };
  it.each([
    ['', {}],
    ['sort=-spend', {}],
    ['sort=spend', { sort: 'spend' }],
    ['sort=-name', { sort: '-ad_name' }],
    ['columns=name,spend', { columns: 'ad_id,currency,spend,ad_name,headline' }],
    ['columns=change&sort=change', { columns: 'ad_id,currency' }],
  ])('have its columns and its order: %s', (query, parameters) => {
    expect(tableParameters(new URLSearchParams(query), table)).toEqual(parameters);
  });
});

describe('a table that sorts its rows on the page', () => {
  interface Closing {
    readonly by: string;
    readonly at: string | null;
    readonly charge: string | null;
  }
  const ROWS: readonly Closing[] = [
    { by: 'Rosa', at: '2026-11-05T08:00:00Z', charge: '-12.5' },
    { by: 'Ana', at: null, charge: '9.25' },
    { by: 'Édouard', at: '2026-11-05T10:00:00+02:00', charge: null },
    { by: 'Ben', at: '2026-10-31T23:59:59Z', charge: '-3' },
  ];
  const COLUMNS = [
    { column: 'by', text: true, sortsBy: (row: Closing): Value => row.by },
    { column: 'at', text: true, sortsBy: (row: Closing): Value => timeValue(row.at) },
    { column: 'charge', sortsBy: (row: Closing): Value => decimalValue(row.charge) },
    { column: 'change', text: true },
  ];
  const sortedBy = (query: string): ReturnType<typeof sortedOnPage<Closing>> =>
    sortedOnPage(new URLSearchParams(query), fixedTable('closings'), COLUMNS, ROWS, ({ by }) => by);

  const cases: readonly [string, string, readonly string[], number][] = [
    ['has an order of its own', '', ['Rosa', 'Ana', 'Édouard', 'Ben'], 0],
    ['of words', 'closings.sort=by', ['Ana', 'Ben', 'Édouard', 'Rosa'], 0],
    ['of moments, those without one last', 'closings.sort=at', ['Ben', 'Édouard', 'Rosa', 'Ana'], 0],
    ['downwards, those without one last too', 'closings.sort=-at', ['Édouard', 'Rosa', 'Ben', 'Ana'], 0],
    ['of amounts below nothing', 'closings.sort=charge', ['Rosa', 'Ben', 'Ana', 'Édouard'], 0],
    ['not by a column of buttons', 'closings.sort=change', ['Rosa', 'Ana', 'Édouard', 'Ben'], 1],
    ['not by what every object has', 'closings.sort=toString', ['Rosa', 'Ana', 'Édouard', 'Ben'], 1],
    ['not by the order of another table', 'sort=by', ['Rosa', 'Ana', 'Édouard', 'Ben'], 0],
  ];
  it.each(cases)('%s', (_, query, expected, notices) => {
    const { rows, repairs } = sortedBy(query);
    expect(rows.map(({ by }) => by)).toEqual(expected);
    expect(repairs).toHaveLength(notices);
  });

  it('begins with A in words, and with the latest and the most in all else', () => {
    const { spec, sort } = sortedBy('');
    const first = ['by', 'at', 'charge'].map((column) => nextSort(spec, column, sort));
    expect(first.map(({ descending }) => descending)).toEqual([false, true, true]);
  });
});
