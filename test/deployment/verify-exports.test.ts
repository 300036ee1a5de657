import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDefinition, type ExportDefinition, type ExportSchedule } from '@ctwa-ledger/schemas/exports.ts';
import { manifestSchema } from '../../services/exports/manifest.ts';
import { writeStep } from '../../services/exports/runs.ts';
import { addSchedule } from '../../services/exports/schedules.ts';
import { verifyExports } from '../../services/exports/verify.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod, listPeriods, reopenPeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { delivered, NOW, Place } from '../support/exports.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

const WABA = '102290129340398';
const DAY = 86_400;
/** 2026-10-15T12:00:00Z. */
const OCTOBER = 1_792_065_600;

const data = new DataDirectory();
let ledger: Ledger;
let names = 0;

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function exported(
  given: Partial<ExportDefinition>,
): Promise<{ readonly place: Place; readonly schedule: ExportSchedule }> {
  const name = `export-${++names}`;
  const definition = exportDefinition.parse({ name, when: 'every day 06:00', ...given });
  const schedule = await addSchedule(ledger.database, definition, 'a test', NOW);
  const place = new Place(ledger, data.file(name));
  await place.exports.runNow(name, 'a test', NOW);
  return { place, schedule };
}

/** Puts another file in the place of one, with a manifest and a history that speak for it. */
async function replaceBy(
  place: Place,
  { schedule_id }: ExportSchedule,
  change: (text: string) => string,
): Promise<void> {
  const [run] = place.ended;
  const path = join(place.directory, run!.file);
  const text = change(readFileSync(path, 'utf8'));
  writeFileSync(path, text);
  const beside = `${path}.manifest.json`;
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(beside, 'utf8')));
  const said = `${JSON.stringify({ ...manifest, sha256: sha256(text) }, null, 2)}\n`;
  writeFileSync(beside, said);
  const step = {
    ...run!,
    schedule_id,
    sha256: sha256(text),
    manifest_sha256: sha256(said),
    due_at: 0,
    asked_by: 'a test',
    began_ms: Date.now(),
    ended_ms: Date.now(),
    next_attempt_at: 0,
  };
  await writeStep(ledger.database, step, '18446744073709551000', 1);
}

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', {
    accounts: [{ waba_id: WABA, currency: 'USD', phone_number_ids: ['106540352242922'] }],
  });
  const card = 'invented-list-USD-2026-10-01.csv';
  const bytes = readFileSync(new URL(`../../services/sample/rates/${card}`, import.meta.url));
  await importRateFile(ledger.database, { name: card, bytes, effective: '2026-10-01', model: 'message', by: 'a test' });
  await ledger.record([
    ...Array.from({ length: 8 }, (_, i) => delivered(`wamid.november.${i}`, NOW - i * DAY)),
    ...Array.from({ length: 8 }, (_, i) => delivered(`wamid.october.${i}`, OCTOBER - i * DAY)),
  ]);
  await closePeriod(ledger.database, { waba_id: WABA, month: '2026-10', by: 'ana', accept: true }, () => NOW * 1000);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('files held against the ledger', () => {
  it.each(['csv', 'xlsx', 'parquet'] as const)(
    'are the same until something is written, as %s, and never others of a closed month',
    async (format) => {
      const open = await exported({ report: 'messages', period: 'this-month', format, compression: 'gzip' });
      const closed = await exported({ report: 'charges', period: 'last-closed-month', format });
      expect(closed.place.ended).toMatchObject([{ is_frozen: true }]);
      const verify = async ({ place, schedule }: typeof open): Promise<unknown> =>
        verifyExports(ledger, place.directory, schedule);
      for (const one of [open, closed]) expect(await verify(one)).toMatchObject([{ problem: null, ledger: 'same' }]);
      await ledger.record([
        delivered(`wamid.november.late.${format}`, NOW - 2 * DAY),
        delivered(`wamid.october.late.${format}`, OCTOBER),
      ]);
      expect(await verify(open)).toMatchObject([{ problem: null, ledger: 'changed' }]);
      expect(await verify(closed)).toMatchObject([{ problem: null, ledger: 'same' }]);
    },
  );

  it('are found out when they say something else, although manifest and history agree with them', async () => {
    const open = await exported({ report: 'charges', period: 'this-month' });
    const closed = await exported({ report: 'charges', period: 'last-closed-month' });
    for (const { place, schedule } of [open, closed])
      await replaceBy(place, schedule, (text) => text.replace('marketing', 'utility'));
    expect(await verifyExports(ledger, open.place.directory, open.schedule)).toMatchObject([
      { problem: expect.stringContaining('Nothing was written since') as string, ledger: null },
    ]);
    await ledger.record([delivered('wamid.one.more', NOW - 3 * DAY)]);
    const months = await verifyExports(ledger, closed.place.directory, closed.schedule);
    expect(months).toMatchObject([{ problem: expect.stringContaining('The month is closed') as string }]);
    // Once it is reopened its file is that of another time.
    const [period] = await listPeriods(ledger.database);
    await reopenPeriod(ledger.database, period!.period_id, 'ana', 'a test');
    expect(await verifyExports(ledger, closed.place.directory, closed.schedule)).toMatchObject([
      { problem: null, ledger: 'changed' },
    ]);
  });
});
