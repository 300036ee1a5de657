/** Times and cells, as contract.md 3 prints them. */

export type Row = Record<string, string>;

const formats = new Map<string, Intl.DateTimeFormat>();

function localParts(t: number, zone: string): Map<string, string> {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'longOffset',
    });
    formats.set(zone, format);
  }
  return new Map(format.formatToParts(t * 1000).map((part) => [part.type, part.value]));
}

/** The date of a time, in Unix seconds, in a zone: `YYYY-MM-DD`. */
export function dayOf(t: number, zone: string): string {
  const parts = localParts(t, zone);
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

export function isoTime(t: number | undefined, zone: string): string {
  if (t === undefined) return '';
  const parts = localParts(t, zone);
  const offset = (parts.get('timeZoneName') ?? '').replace('GMT', '') || '+00:00';
  return `${dayOf(t, zone)}T${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}${offset}`;
}

/** What a spreadsheet would run as a formula is prefixed. */
function cell(value: string): string {
  const runs = /^[=+\-@\t\r]/.test(value) && !/^[+-]?[0-9]+(\.[0-9]+)?$/.test(value);
  return runs ? `'${value}` : value;
}

/** A row as the CSV prints it. */
export function row(columns: Row): Row {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, cell(value)]));
}

/** Adds to the list kept under a key. */
export function addTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}
