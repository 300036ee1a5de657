import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { underLease } from '../../services/clickhouse/lease.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importInvoice, keepInvoiceMapping } from '../../services/reconciliation/invoices.ts';
import {
  importTemplates,
  listTemplateImports,
  listTemplates,
  withdrawTemplates,
} from '../../services/send-check/templates.ts';
import { importSpendFile, importTypedSpend, listSpendImports } from '../../services/spend/spend.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { workbookOf } from '../support/workbook.ts';

const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'imports');
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

const RATES = Buffer.from(
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.5,0.25,0.1\n',
);
const SPEND = Buffer.from('Ad ID,Day,Amount spent (BRL)\n1,2026-10-01,7\n');

function templates(...named: readonly (readonly [name: string, category: string])[]): Buffer {
  const all = named.map(([name, category]) => ({ name, language: 'pt_BR', category, status: 'APPROVED' }));
  return Buffer.from(JSON.stringify({ data: all }));
}

describe('the register of imports', () => {
  it('keeps every file byte for byte, whatever its kind', async () => {
    const { database } = ledger;
    const workbook = await workbookOf({
      name: 'October',
      rows: [
        ['Month', 'Net'],
        ['2026-10', 12.5],
      ],
    });
    await keepInvoiceMapping(
      database,
      { name: 'ours', columns: { month: 'Month', amount: 'Net' }, currency: 'EUR' },
      'ana',
    );
    await importInvoice(database, { name: 'october.xlsx', bytes: workbook, waba_id: '', by: 'ana' }, 'ours');
    await importRateFile(database, { name: 'card.csv', bytes: RATES, effective: '2026-07-01', by: 'ana' });
    await importSpendFile(database, { name: 'ads.csv', bytes: SPEND, by: 'ana' });
    await importTypedSpend(
      database,
      { ad_id: '2', ad_name: '', first_day: '2026-10-01', last_day: '2026-10-01', currency: 'BRL', amount: '3' },
      'ana',
    );
    const kept = await database.query(
      z.object({ checksum: z.string(), base64: z.string(), hash: z.string() }),
      `SELECT checksum, base64Encode(raw) AS base64, lower(hex(SHA256(raw))) AS hash FROM import_files FINAL`,
    );
    expect(kept).toHaveLength(4);
    for (const { checksum, hash } of kept) expect(hash).toBe(checksum);
    const checksumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    for (const bytes of [workbook, RATES, SPEND])
      expect(kept.find(({ checksum }) => checksum === checksumOf(bytes))?.base64).toBe(bytes.toString('base64'));
  });

  it('lets imports of two kinds that come at once both through, one after the other', async () => {
    const { database } = ledger;
    const [card, spend] = await Promise.all([
      importRateFile(database, { name: 'august.csv', bytes: RATES, effective: '2026-08-01', by: 'ana' }),
      importSpendFile(database, {
        name: 'more.csv',
        bytes: Buffer.from(`${SPEND.toString()}1,2026-10-02,8\n`),
        by: 'rui',
      }),
    ]);
    expect([card[0]?.outcome, spend.outcome]).toEqual(['imported', 'imported']);
    expect((await listSpendImports(database)).map(({ name }) => name)).toContain('more.csv');
  });

  it('waits for an import that is being written', async () => {
    const { database } = ledger;
    let isWritten = false;
    let waiting: Promise<unknown> = Promise.resolve();
    await underLease(database, 'imports', async () => {
      waiting = importTypedSpend(
        database,
        { ad_id: '3', ad_name: '', first_day: '2026-10-01', last_day: '2026-10-01', currency: 'BRL', amount: '3' },
        'ana',
      ).then((planned) => {
        expect(isWritten).toBe(true);
        return planned.outcome;
      });
      waiting.catch(() => undefined);
      await listSpendImports(database);
      isWritten = true;
      return true;
    });
    expect(await waiting).toBe('imported');
  });
});

describe('an import of templates', () => {
  const categories = async (): Promise<string[]> =>
    (await listTemplates(ledger.database)).map(
      ({ name, category, imported_by }) => `${name} ${category} ${imported_by}`,
    );

  it('counts until a later one names the same template, and again when that is withdrawn', async () => {
    const { database } = ledger;
    // As it was kept before imports of templates were.
    await database.command(
      "INSERT INTO templates (waba_id, name, language, category, status, imported_at, imported_by) SELECT '', 'old', 'pt_BR', 'utility', '', toDateTime64('2026-01-01 00:00:00', 3, 'UTC'), 'eva'",
    );
    await importTemplates(database, {
      name: 'a.json',
      bytes: templates(['hello', 'MARKETING'], ['bye', 'UTILITY']),
      by: 'ana',
    });
    const done = await importTemplates(database, {
      name: 'b.json',
      bytes: templates(['hello', 'UTILITY'], ['old', 'MARKETING']),
      by: 'rui',
    });
    expect(done).toEqual({
      templates: 2,
      added: 0,
      recategorised: [
        { name: 'hello', language: 'pt_BR', from: 'marketing', to: 'utility' },
        { name: 'old', language: 'pt_BR', from: 'utility', to: 'marketing' },
      ],
    });
    expect(await categories()).toEqual(['bye utility ana', 'hello utility rui', 'old marketing rui']);
    const [latest] = await listTemplateImports(database);
    expect(latest).toMatchObject({ name: 'b.json', state: 'holds', templates: 2 });
    expect(await withdrawTemplates(database, latest!.import_id, 'eva')).toMatchObject({
      state: 'withdrawn',
      withdrawn_by: 'eva',
    });
    expect(await categories()).toEqual(['bye utility ana', 'hello marketing ana', 'old utility eva']);
    await expect(withdrawTemplates(database, 'none', 'eva')).rejects.toThrow(
      'There is no import of templates "none". List the ids with "ctwa-ledger templates imports".',
    );
  });

  it('is replaced when later ones name all of its templates', async () => {
    const { database } = ledger;
    await importTemplates(database, {
      name: 'c.json',
      bytes: templates(['hello', 'UTILITY'], ['bye', 'UTILITY']),
      by: 'ana',
    });
    expect((await listTemplateImports(database)).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'c.json holds',
      'b.json withdrawn',
      'a.json replaced',
    ]);
  });
});
