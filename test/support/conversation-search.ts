import { unix, USER_ID } from './conversation-events.ts';

export type Row = Readonly<Record<string, string>>;

/** Ad conversations as rules.md 6 says, of the rows of report `conversations`. */
export function grouped(entries: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of entries) {
    const key = `${row['phone_number_id']} ${row['ad_conversation_id']}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const byEntry = group.toSorted((a, b) => (a['entry_at']! < b['entry_at']! ? -1 : 1));
    const start = group.find((row) => row['conversation_id'] === row['ad_conversation_id'])!;
    const first_reply =
      group
        .map((row) => row['replied_at']!)
        .filter(Boolean)
        .sort()[0] ?? '';
    const answered = byEntry.find((row) => first_reply !== '' && row['replied_at'] === first_reply);
    const window = group
      .filter((row) => row['opened_at'] !== '')
      .sort((a, b) => (a['opened_at']! < b['opened_at']! ? 1 : -1))[0];
    return {
      conversation_id: start['conversation_id']!,
      phone_number_id: start['phone_number_id']!,
      customer: start['customer']!,
      entry_at: start['entry_at']!,
      source_type: start['source_type']!,
      ad_id: start['ad_id']!,
      source_url: start['source_url']!,
      last_entry_at: byEntry.at(-1)!['entry_at']!,
      is_replied: String(answered !== undefined),
      seconds_to_reply: answered === undefined ? '' : String(unix(first_reply) - unix(answered['entry_at']!)),
      opened_at: window?.['opened_at'] ?? '',
      expires_at: window?.['expires_at'] ?? '',
      free_messages: String(group.reduce((sum, row) => sum + Number(row['free_messages']), 0)),
    };
  });
}

function isIn(state: string, row: Row, as_of: string): boolean {
  const isLate = unix(row['last_entry_at']!) + 86_400 <= unix(as_of);
  const opened = row['opened_at'] !== '' && unix(row['opened_at']!) <= unix(as_of);
  switch (state) {
    case 'replied':
      return row['is_replied'] === 'true';
    case 'pending':
      return row['is_replied'] === 'false' && !isLate;
    case 'not_replied':
      return row['is_replied'] === 'false' && isLate;
    case 'open':
      return opened && unix(as_of) < unix(row['expires_at']!);
    default:
      return true;
  }
}

/** A search and what its rows are, of all ad conversations. */
interface RandomSearch {
  readonly params: URLSearchParams;
  readonly sort: string;
  readonly expected: readonly Row[];
}

export function randomSearch(random: () => number, all: readonly Row[], entries: readonly Row[]): RandomSearch {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const from = pick(['2024-11-01', '2025-01-15', '2025-01-20']);
  const to = pick(['2025-01-22', '2025-02-01', '2026-04-01']);
  const as_of = pick(['2025-01-20T12:00:00Z', '2025-01-31T18:00:00Z', '2026-03-04T20:00:00Z']);
  const state = pick(['', '', 'replied', 'pending', 'not_replied', 'open']);
  const some = pick(all);
  const ad = pick(['', '', some['ad_id']!, some['source_url']!]);
  const named = pick(entries);
  const kind = pick(['all', 'all', 'digits', 'digits', 'entry', 'user']);
  const start = Math.floor(random() * 9);
  const digits = pick(all.filter((row) => /^\d+$/.test(row['customer']!)))['customer']!.slice(
    start,
    start + 2 + Math.floor(random() * 3),
  );
  const q = { all: '', digits, entry: named['conversation_id']!, user: USER_ID }[kind]!;
  const meant = (row: Row): boolean => {
    if (kind === 'entry')
      return (
        row['conversation_id'] === named['ad_conversation_id'] && row['phone_number_id'] === named['phone_number_id']
      );
    const isInRange = row['entry_at']! >= from && row['entry_at']! < to;
    return isInRange && (kind === 'user' ? row['customer'] === USER_ID : row['customer']!.includes(q));
  };
  const expected = all
    .filter((row) => meant(row) && isIn(state, row, as_of))
    .filter((row) => ad === '' || row['ad_id'] === ad || row['source_url'] === ad)
    .sort((a, b) => (`${a['entry_at']} ${a['conversation_id']}` < `${b['entry_at']} ${b['conversation_id']}` ? -1 : 1));
  const params = new URLSearchParams({ from, to, as_of });
  for (const [name, value] of Object.entries({ q, ad, state })) if (value !== '') params.set(name, value);
  return {
    params,
    sort: pick(['', 'entry_at', '-seconds_to_reply', 'seconds_to_reply', 'ad', '-phone_number_id']),
    expected,
  };
}

/** Rows in the order of the page. */
export function inOrder(rows: readonly Row[], sort: string): Row[] {
  const column = sort.replace('-', '') || 'entry_at';
  const descending = sort === '' || sort.startsWith('-');
  const value = (row: Row): string | number => {
    if (column === 'ad') return row['ad_id'] || row['source_url']!;
    if (column !== 'seconds_to_reply') return row[column]!;
    return row[column] === '' ? (descending ? -1 : Infinity) : Number(row[column]);
  };
  const keys = (row: Row): (string | number)[] => [
    value(row),
    row['entry_at']!,
    row['conversation_id']!,
    row['phone_number_id']!,
  ];
  return rows.toSorted((a, b) => {
    const [one, other] = [keys(a), keys(b)];
    const at = one.findIndex((key, i) => key !== other[i]);
    return at < 0 ? 0 : (one[at]! < other[at]! ? -1 : 1) * (descending ? -1 : 1);
  });
}
