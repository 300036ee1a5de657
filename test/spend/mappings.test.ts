import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { keepSpendMapping, listSpendMappings, spendMapping } from '../../services/spend/mappings.ts';
import { importSpendFile, listSpendImports } from '../../services/spend/spend.ts';
import { DataDirectory, openLedger, run, succeed } from '../support/ledger.ts';

const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'mappings');
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('a mapping of columns', () => {
  it('is kept by name, and the last one of a name holds', async () => {
    const { database } = ledger;
    await keepSpendMapping(database, { name: 'polish', columns: { amount: 'Kwota' } }, 'ana');
    await keepSpendMapping(database, { name: 'agency', columns: { day: 'D "1"' }, currency: 'PLN' }, 'ana');
    await keepSpendMapping(database, { name: 'polish', columns: { amount: 'Wydana kwota', ad_id: 'Id' } }, 'rui');
    expect(await listSpendMappings(database)).toMatchObject([
      { name: 'agency', columns: { day: 'D "1"' }, currency: 'PLN', kept_by: 'ana' },
      { name: 'polish', columns: { amount: 'Wydana kwota', ad_id: 'Id' }, kept_by: 'rui' },
    ]);
    expect(await spendMapping(database, 'polish')).not.toHaveProperty('currency');
    await expect(spendMapping(database, 'Polish')).rejects.toThrow('The saved mappings are "agency", "polish"');
  });

  it('that reads a file in another way makes another import of it', async () => {
    const { database } = ledger;
    const bytes = Buffer.from('Ad ID,Day,Gross,Net\n1,2026-10-01,7,6\n');
    const read = (amount: string, currency = 'BRL') =>
      importSpendFile(database, { name: 'f', bytes, by: 'ana', mapping: { columns: { amount }, currency } });
    const gross = await read('Gross');
    expect(gross).toMatchObject({ outcome: 'imported', totals: [{ currency: 'BRL', amount: '7' }] });
    expect(await read('Gross')).toMatchObject({ outcome: 'unchanged', import_id: gross.import_id });
    const net = await read('Net');
    expect(net).toMatchObject({
      outcome: 'imported',
      replaced: 1,
      changed: 1,
      totals: [{ currency: 'BRL', amount: '6' }],
    });
    expect(net.import_id).not.toBe(gross.import_id);
    const imports = await listSpendImports(database);
    expect(imports.map(({ state }) => state)).toEqual(['holds', 'replaced']);
    // What was read is kept with the checksum of the file itself.
    expect(new Set(imports.map(({ checksum }) => checksum)).size).toBe(1);
    await expect(read('Net', 'XXQ')).rejects.toThrow('"XXQ" is not a currency');
  });
});

describe('the command line', () => {
  const FILE = 'Identyfikator reklamy;Data;Wydana kwota\n12;2026-10-01;1 250,50\n12;;1 250,50\n';
  const columns = [
    '--column',
    'ad_id=Identyfikator reklamy',
    '--column',
    'day=Data',
    '--column',
    'amount=Wydana kwota',
  ];

  it('lists the columns of a file with unknown headings, takes a mapping by hand, and stores it by name', async () => {
    const path = data.file('polish.csv');
    writeFileSync(path, FILE);
    const refused = await run(data, ['spend', 'import', path]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('The columns found are: "Identyfikator reklamy", "Data", "Wydana kwota"');
    expect(refused.stderr).toContain('--column ad_id="…" --column amount="…"');

    const byHand = await succeed(data, ['spend', 'import', path, ...columns, '--currency', 'pln', '--dry-run']);
    expect(JSON.parse(byHand.stdout)).toMatchObject({
      totals: [{ currency: 'PLN', amount: '1250.5' }],
      passed_over: 1,
    });

    expect((await succeed(data, ['spend', 'mappings'])).stdout).toBe('');
    const kept = await succeed(data, ['spend', 'map', 'polish', ...columns, '--currency', 'PLN']);
    expect(JSON.parse(kept.stdout)).toMatchObject({ name: 'polish', columns: { day: 'Data' }, currency: 'PLN' });
    expect((await succeed(data, ['spend', 'mappings'])).stdout).toBe(kept.stdout);
    const imported = await succeed(data, ['spend', 'import', path, '--mapping', 'polish']);
    expect(JSON.parse(imported.stdout)).toMatchObject({ outcome: 'imported', rows: 1, passed_over: 1 });
    const euros = await succeed(data, [
      'spend',
      'import',
      path,
      '--mapping',
      'polish',
      '--currency',
      'EUR',
      '--dry-run',
    ]);
    expect(JSON.parse(euros.stdout)).toMatchObject({ totals: [{ currency: 'EUR', amount: '1250.5' }] });
  });

  it.each<[string[], number, string]>([
    [['import', 'f.csv', '--column', 'cost=Kwota'], 2, 'write one of ad_id, ad_name'],
    [['import', 'f.csv', '--column', 'amount'], 2, 'write one of ad_id, ad_name'],
    [['import', 'f.csv', '--currency', 'zloty'], 2, '--currency "zloty" is not a currency'],
    [['import', 'f.csv', '--mapping', 'nobody'], 1, 'There is no mapping named "nobody"'],
    [['map', '-x', '--', '--column'], 2, 'error'],
    [['map', '<b>', '--column', 'amount=A'], 2, 'The name "<b>" cannot be used'],
    [['map', 'empty'], 2, 'Name at least one column'],
  ])('refuses %j', async (args, code, words) => {
    writeFileSync(data.file('f.csv'), FILE);
    const refused = await run(data, ['spend', ...args.map((arg) => (arg === 'f.csv' ? data.file(arg) : arg))]);
    expect([refused.code, refused.stdout]).toEqual([code, '']);
    expect(refused.stderr).toContain(words);
  });
});
