import { readFileSync } from 'node:fs';

/** SQL for a time in UTC as text, `2026-10-01T12:00:00+00:00`; null stays null. */
export function utcText(time: string): string {
  return `concat(formatDateTime(${time}, '%FT%T', 'UTC'), '+00:00')`;
}

/** A query that is too long to sit in code, from `sql/queries`. */
export function readQuery(name: string): string {
  return readFileSync(new URL(`../../sql/queries/${name}.sql`, import.meta.url), 'utf8');
}

/** A query with SQL in its places: `%rows%` is where the part `rows` goes. Values go in as parameters, never as parts. */
export function filledQuery(query: string, parts: Readonly<Record<string, string>>): string {
  return query.replaceAll(/%(\w+)%/g, (place, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new TypeError(`Nothing was given for ${place} of a query.`);
    return part;
  });
}

/** A list among the parameters of a query: its name and the type of what is in it. */
type GivenLists = Readonly<Record<string, 'String' | 'UInt32'>>;

/**
 * A query of what lists among the parameters give side by side: one tuple a row, in the order of the lists, such as keys
 * that rows are looked up by.
 * @param name of the column, where it is asked for by name
 */
export function givenTuples(lists: GivenLists, name?: string): string {
  const places = Object.entries(lists).map(([list, type]) => `{${list}:Array(${type})}`);
  return `SELECT arrayJoin(arrayZip(${places.join(', ')}))${name === undefined ? '' : ` AS ${name}`}`;
}

/**
 * The same as a table.
 * @param columns by the name of each column its list, the type of what is in it, and the function that it goes through
 */
export function givenRows(
  columns: Readonly<Record<string, readonly [list: string, type: 'String' | 'UInt32', via?: string]>>,
): string {
  const selected = Object.entries(columns).map(([column, [, , via]], i) => {
    const value = `tupleElement(given, ${i + 1})`;
    return `${via === undefined ? value : `${via}(${value})`} AS ${column}`;
  });
  const lists = Object.fromEntries(Object.values(columns).map(([list, type]) => [list, type]));
  return `SELECT ${selected.join(', ')} FROM (${givenTuples(lists, 'given')})`;
}
