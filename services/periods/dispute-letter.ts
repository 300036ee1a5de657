import { EXPLANATION_WORDS } from '@ctwa-ledger/schemas/case-words.ts';
import { EXPLANATION_CODES, type ExplanationCode, type ReconciliationRow } from '@ctwa-ledger/schemas/meta.ts';
import { DateTime } from 'luxon';
import { amountText, readAmount } from '../reconciliation/amounts.ts';

/** The subject of a dispute. */
export interface Dispute {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** Null: the rows were chosen one by one, and may have several. */
  readonly explanation: ExplanationCode | null;
  readonly rows: readonly ReconciliationRow[];
  /** Our messages that are listed with the rows. */
  readonly messages: number;
}

/** Sums of both sides over rows of one currency. Differences are ours − Meta's. */
export interface DisputedSums {
  readonly our_volume: bigint;
  readonly meta_volume: bigint;
  /** Over the rows with both costs; null when there is none. */
  readonly our_cost: string | null;
  readonly meta_cost: string | null;
  readonly cost_difference: string | null;
  readonly unknown_costs: number;
  /** Empty when the account has none; the letter then has no amounts. */
  readonly currency: string;
}

const total = (amounts: readonly string[]): string =>
  amountText(amounts.reduce((sum, amount) => sum + readAmount(amount), 0n));

/** @throws TypeError when the rows have several currencies, which are never added up */
export function sumsOf(rows: readonly ReconciliationRow[]): DisputedSums {
  const [currency = '', ...others] = new Set(rows.map((row) => row.currency));
  if (others.length > 0) throw new TypeError(`Rows in ${[currency, ...others].join(', ')} have no sum.`);
  const volume = (of: 'our_volume' | 'meta_volume'): bigint => rows.reduce((sum, row) => sum + BigInt(row[of]), 0n);
  const known = rows.filter(({ cost_difference }) => cost_difference !== null);
  const cost = (of: 'our_cost' | 'meta_cost' | 'cost_difference'): string | null =>
    known.length === 0 || currency === '' ? null : total(known.map((row) => row[of] ?? '0'));
  return {
    our_volume: volume('our_volume'),
    meta_volume: volume('meta_volume'),
    our_cost: cost('our_cost'),
    meta_cost: cost('meta_cost'),
    cost_difference: cost('cost_difference'),
    unknown_costs: rows.length - known.length,
    currency,
  };
}

const monthName = (month: string): string => DateTime.fromISO(`${month}-01`, { zone: 'UTC' }).toFormat('LLLL yyyy');

function signed(text: string): string {
  return text.startsWith('-') ? `−${text.slice(1)}` : `+${text}`;
}

function days(rows: readonly ReconciliationRow[], month: string): string {
  const named = [...new Set(rows.map(({ day }) => day))].filter((day) => day !== '').sort();
  const [first, last] = [named.at(0), named.at(-1)];
  if (first === undefined || last === undefined) return monthName(month);
  return first === last ? first : `${first} to ${last}`;
}

/** What is known to explain the rows, in words; `unexplained` where nothing is. */
function reasonsOf({ explanation, rows }: Dispute): readonly string[] {
  const codes =
    explanation === null
      ? EXPLANATION_CODES.filter((code) => rows.some((row) => row.explanation === code))
      : [explanation];
  return codes.map((code) => EXPLANATION_WORDS[code]);
}

/** What was found so far, as a sentence of a letter. */
function foundWords(dispute: Dispute): string {
  const unexplained = EXPLANATION_WORDS.unexplained;
  const reasons = reasonsOf(dispute);
  const known = reasons.filter((reason) => reason !== unexplained);
  if (known.length === 0) return 'We have not found a reason on our side.';
  const said = known.map((reason) => `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`).join('; ');
  const rest = known.length < reasons.length ? '\nFor the other rows we have not found a reason on our side.' : '';
  return `What we found so far: ${said}.${rest}`;
}

/** The text of a letter about rows that differ, with the figures filled in. Plain text, wrapped. */
export function disputeLetter(dispute: Dispute): string {
  const { waba_id, month, rows, messages } = dispute;
  const sums = sumsOf(rows);
  const { our_cost, meta_cost, cost_difference, currency, unknown_costs } = sums;
  const n = rows.length;
  const volume = (sums.our_volume - sums.meta_volume).toString();
  const asksForCredit = cost_difference?.startsWith('-') === true;
  const found = foundWords(dispute);
  const lines = [
    `Subject: WhatsApp charges of ${monthName(month)}, account ${waba_id}: ${n} ${n === 1 ? 'row differs' : 'rows differ'}`,
    '',
    'Hello,',
    '',
    `We have compared the charges of WhatsApp Business account ${waba_id} for ${monthName(month)} with our own records.`,
    `${n === 1 ? 'One row' : `${n} rows`} of your pricing analytics (${days(rows, month)}) ${n === 1 ? 'differs' : 'differ'} from them:`,
    '',
    `  Messages: ${sums.our_volume} in our records, ${sums.meta_volume} in yours (${volume === '0' ? 'no difference' : `difference ${signed(volume)}`}).`,
    ...(our_cost === null || meta_cost === null || cost_difference === null
      ? ['  Charges: not compared, because one side names no amount.']
      : [
          `  Charges: ${currency} ${our_cost} in our records, ${currency} ${meta_cost} in yours (${cost_difference === '0' ? 'no difference' : `difference ${signed(cost_difference)}`}).`,
          ...(unknown_costs === 0
            ? []
            : [
                `  For ${unknown_costs} of the rows one side names no amount; ${unknown_costs === 1 ? 'it is' : 'they are'} not in the charges.`,
              ]),
        ]),
    '',
    found,
    '',
    `The file differences.csv lists the rows. The file messages.csv lists the ${messages} ${messages === 1 ? 'message' : 'messages'} that we have on record for`,
    'them, each with its id, its times, the pricing that your webhooks reported and the price that we expected.',
    '',
    asksForCredit
      ? 'Could you please check these rows and tell us how they came about? If they were charged in error, we kindly ask'
      : 'Could you please check these rows and tell us how they came about? If a correction will follow, we kindly ask',
    asksForCredit
      ? `you for a credit of ${currency} ${cost_difference.slice(1)}, with the number of your case in your answer.`
      : 'you to announce it, with the number of your case in your answer.',
    '',
    'Thank you for your help.',
    '',
    'Kind regards',
    '',
  ];
  return lines.join('\n');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Rows on the printed page; all are in the CSV. */
const MAX_PRINTED = 500;

/** A page to print, A4 or Letter, in one file: the differences, row by row. */
export function disputePage(dispute: Dispute): string {
  const { waba_id, month, rows, messages } = dispute;
  const sums = sumsOf(rows);
  const cells = (values: readonly (string | null)[], tag: 'td' | 'th'): string =>
    `<tr>${values.map((value) => `<${tag}>${escaped(value ?? 'not known')}</${tag}>`).join('')}</tr>`;
  const money = (amount: string | null): string | null => (amount === null ? null : `${sums.currency} ${amount}`);
  const title = `Evidence: ${monthName(month)}, account ${waba_id}`;
  const left = rows.length - MAX_PRINTED;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
@page { margin: 15mm; }
body { font: 10pt/1.4 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt; }
thead { display: table-header-group; }
th, td { text-align: left; padding: 2pt 6pt 2pt 0; border-bottom: 0.5pt solid #999; vertical-align: top; }
tr { break-inside: avoid; }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(reasonsOf(dispute).join('; '))}. ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}, ${messages} ${messages === 1 ? 'message' : 'messages'} on record. Differences are ours less Meta’s.</p>
<table>
<thead>${cells(['', 'Ours', 'Meta’s', 'Difference'], 'th')}</thead>
<tbody>
${cells(['Messages', `${sums.our_volume}`, `${sums.meta_volume}`, `${sums.our_volume - sums.meta_volume}`], 'td')}
${cells(['Charges, where both are known', money(sums.our_cost), money(sums.meta_cost), money(sums.cost_difference)], 'td')}
</tbody>
</table>
<h2>Rows</h2>
<table>
<thead>${cells(['Day', 'Number', 'Country', 'Category', 'Type', 'Tier', 'Ours', 'Meta’s', 'Our charge', 'Meta’s charge', 'Difference'], 'th')}</thead>
<tbody>
${rows
  .slice(0, MAX_PRINTED)
  .map((row) =>
    cells(
      [
        ...[
          row.day === '' ? row.month : row.day,
          row.phone_number,
          row.country,
          row.category,
          row.pricing_type,
          row.tier,
        ],
        ...[row.our_volume, row.meta_volume, row.our_cost, row.meta_cost, row.cost_difference],
      ],
      'td',
    ),
  )
  .join('\n')}
</tbody>
</table>
${left > 0 ? `<p>And ${left} more, in differences.csv.</p>` : ''}
</body>
</html>
`;
}
