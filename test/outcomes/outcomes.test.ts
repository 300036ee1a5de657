import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseCustomer } from '../../services/erasure/erase.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { readBytes } from '../../services/ingest/value.ts';
import { importOutcomes, listOutcomeImports, withdrawOutcomes } from '../../services/outcomes/outcomes.ts';
import { conversionEvents } from '../../services/reports/outcomes.ts';
import { importTypedSpend } from '../../services/spend/spend.ts';
import { AD, clicks, DAY, HOUR, MON, NUMBER, text, WABA } from '../oracle/golden/builders.ts';
import { METADATA } from '../support/envelopes.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, numberFrom, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';

const ANA = '16505550001';
const BEN = '16505550002';
const CLICK_OF_ANA = 'Aff-ana';
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const data = new DataDirectory();
let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger(data, 'outcomes');
  const referral = { source_type: 'ad', source_id: AD, ctwa_clid: CLICK_OF_ANA };
  await ledger.record(
    parsed([
      clicks('entry-of-ana', MON, { wa_id: ANA, referral }),
      ...text('reply', MON + HOUR, { wa_id: ANA }),
      clicks('entry-of-ben', MON + HOUR, {
        wa_id: BEN,
        user_id: 'US.2',
        referral: { ...referral, ctwa_clid: 'Aff-ben' },
      }),
    ]),
  );
  await importTypedSpend(
    ledger.database,
    { ad_id: AD, ad_name: 'Spring', first_day: '2026-01-05', last_day: '2026-01-05', currency: 'USD', amount: '30' },
    'ana',
  );
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

const FILE = `id,kind,time,value,currency,conversation_id,ctwa_clid,customer,phone_number_id
o1,Purchase,${iso(MON + 2 * HOUR)},75.50,USD,entry-of-ana,,,
o2,lead,${iso(MON + 3 * HOUR)},,,,Aff-ben,,
o3,lead,${iso(MON + 4 * HOUR)},,,,,+1 650-555-0001,${NUMBER}
o4,purchase,${iso(MON + 8 * DAY)},10,USD,,,US.2,${NUMBER}
o5,visit,${iso(MON + 5 * HOUR)},,,,,19995550000,${NUMBER}
`;

async function rows(report: ReportName): Promise<Record<string, string>[]> {
  await settleReports([report], ledger.database);
  let csv = '';
  for await (const part of csvReport(report, ledger.database, EVERYTHING)) csv += part;
  return csvRows(csv);
}
const picked = async (report: ReportName, ...columns: string[]): Promise<string[]> =>
  (await rows(report)).map((row) => columns.map((column) => row[column]).join(' '));

const file = { name: 'outcomes.csv', bytes: Buffer.from(FILE) };

describe('outcomes of ad conversations', () => {
  it('are refused as a whole with every place that is wrong', async () => {
    const bytes = Buffer.from(`kind,time,value,currency,conversation_id\n,soon,12,,\nlead,1790000000,,,\n`);
    await expect(importOutcomes(ledger.database, { name: 'bad.csv', bytes }, 'ana')).rejects.toThrow(
      /line 2.*kind.*\n.*time.*\n.*currency.*\n.*conversation_id.*\n.*line 3.*conversation_id/s,
    );
    expect(await rows('outcomes')).toEqual([]);
  });

  it('belong to the conversation that they name, to that of the click, or to the last one of the customer', async () => {
    expect(await importOutcomes(ledger.database, file, 'ana')).toMatchObject({
      outcome: 'imported',
      outcomes: 5,
      replaced: 0,
    });
    expect(await picked('outcomes', 'outcome_id', 'kind', 'entry_id', 'ad_id', 'customer')).toEqual([
      `o4 purchase entry-of-ben ${AD} ${BEN}`,
      'o5 visit   19995550000',
      `o3 lead entry-of-ana ${AD} ${ANA}`,
      `o2 lead entry-of-ben ${AD} ${BEN}`,
      `o1 purchase entry-of-ana ${AD} ${ANA}`,
    ]);
  });

  it('are counted once however often they come, and the last import of one holds until it is withdrawn', async () => {
    const before = await rows('outcomes');
    expect(await importOutcomes(ledger.database, file, 'ana')).toMatchObject({ outcome: 'unchanged' });
    const sent = [
      {
        id: 'o1',
        kind: 'purchase',
        time: iso(MON + 2 * HOUR),
        value: '80',
        currency: 'USD',
        conversation_id: 'entry-of-ana',
      },
    ];
    const { import_id } = await importOutcomes(ledger.database, sent, 'api');
    await importOutcomes(ledger.database, sent, 'api');
    expect((await picked('outcomes', 'outcome_id', 'value')).at(-1)).toBe('o1 80');
    expect(await rows('outcomes')).toHaveLength(before.length);
    await withdrawOutcomes(ledger.database, import_id, 'ana');
    expect(await rows('outcomes')).toEqual(before);
    expect((await listOutcomeImports(ledger.database)).map(({ state }) => state).sort()).toEqual([
      'holds',
      'withdrawn',
    ]);
  });

  it('give cost per outcome and return for each ad, and automatic events of Meta’s stand apart', async () => {
    const noticed = {
      ...{ id: 'wamid.EV1', event_name: 'Purchase', timestamp: MON + 6 * HOUR, ctwa_clid: CLICK_OF_ANA },
      custom_data: { currency: 'USD', value: 25_000 },
    };
    const changes = [{ field: 'automatic_events', value: { metadata: METADATA, automatic_events: [noticed] } }];
    const body = { object: 'whatsapp_business_account', entry: [{ id: WABA, changes }] };
    const outcomes = readBytes(Buffer.from(JSON.stringify(body)), MON + DAY);
    const events = outcomes.flatMap((one) => (one.kind === 'event' ? [one.event] : []));
    expect(events).toHaveLength(1);
    await ledger.record(events);
    expect((await ledger.record(events)).stored).toBe(0);
    expect(
      await picked(
        'ad-outcomes',
        'ad_id',
        'kind',
        'source',
        'currency',
        'outcomes',
        'value',
        'spend',
        'cost_per_outcome',
        'return_on_ad_spend',
      ),
    ).toEqual([
      ' visit own  1    ',
      `${AD} lead own USD 2  30 15.0000 `,
      `${AD} purchase meta USD 1 25000 30 30.0000 833.3333`,
      `${AD} purchase own USD 2 85.5 30 15.0000 2.8500`,
    ]);
    // An outcome is no message: nothing is open because of it.
    expect(await numberFrom(ledger.database, 'SELECT count() AS n FROM message_marks FINAL')).toBe(1);
  });

  it('come in the shape of Meta’s events, within seven days of the click', async () => {
    const { data: events, left_out } = await conversionEvents(ledger.database, EVERYTHING);
    expect(events).toEqual([
      {
        event_name: 'Purchase',
        event_time: MON + 2 * HOUR,
        event_id: 'o1',
        action_source: 'business_messaging',
        messaging_channel: 'whatsapp',
        user_data: { whatsapp_business_account_id: WABA, ctwa_clid: CLICK_OF_ANA },
        custom_data: { currency: 'USD', value: 75.5 },
      },
      expect.objectContaining({
        event_name: 'LeadSubmitted',
        event_id: 'o2',
        user_data: { whatsapp_business_account_id: WABA, ctwa_clid: 'Aff-ben' },
      }),
      expect.objectContaining({ event_name: 'LeadSubmitted', event_id: 'o3' }),
    ]);
    expect(left_out).toEqual({ no_click: 0, too_late: 1, no_name: 1, erased: 0 });
  });

  it('keep their sums when the customer is erased, name nobody, and are not handed out any more', async () => {
    const before = await rows('ad-outcomes');
    await eraseCustomer(ledger.database, { customer: ANA, phone_number_id: '', by: 'ana' });
    const { database } = ledger;
    expect(await rows('ad-outcomes')).toEqual(before);
    expect(await importOutcomes(database, file, 'ana')).toMatchObject({ outcome: 'unchanged' });
    expect(await numberFrom(database, `SELECT count() AS n FROM outcomes WHERE position(customer, '${ANA}') > 0`)).toBe(
      0,
    );
    expect(await numberFrom(database, `SELECT count() AS n FROM import_files WHERE position(raw, '0001') > 0`)).toBe(0);
    await importOutcomes(
      database,
      [{ id: 'o6', kind: 'lead', time: String(MON + 5 * HOUR), customer: ANA, phone_number_id: NUMBER }],
      'api',
    );
    expect(await numberFrom(database, `SELECT count() AS n FROM outcomes WHERE position(customer, '${ANA}') > 0`)).toBe(
      0,
    );
    expect((await rows('outcomes')).find((row) => row['outcome_id'] === 'o6')).toMatchObject({
      entry_id: 'entry-of-ana',
    });
    expect((await conversionEvents(database, EVERYTHING)).left_out.erased).toBe(3);
  });
});
