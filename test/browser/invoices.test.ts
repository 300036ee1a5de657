import { describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { sidewaysScroll } from '../support/browser.ts';
import { output } from '../support/product.ts';

const WABA = '102290129340398';
const INVOICE = [
  'Okres;Kraj;Rodzaj;Sztuk;Kwota netto',
  '2026-10;Brazil;marketing;1.000;1.250,50',
  '2026-10;Brazil;utility;20;3,75',
  '2026-10;;tax;;250,10',
  '',
].join('\n');

describe('an invoice', () => {
  const rig = browserRig({ prepare: () => Promise.resolve({ args: ['--empty'] }) });

  async function upload(name: string, text: string, mapping?: string): Promise<void> {
    await rig.page.goto(`${rig.product.url}/imports/invoices`);
    await rig.page
      .getByLabel('File, up to 32 MB')
      .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
    await rig.page.getByLabel('Account (leave empty for all)').fill(WABA);
    if (mapping !== undefined) await rig.page.getByLabel('Columns').selectOption(mapping);
    await rig.page.getByRole('button', { name: 'Preview' }).click();
    await rig.page.locator('#preview').waitFor();
  }
  const press = (name: string): Promise<void> => rig.page.getByRole('button', { name, exact: true }).click();
  const sums = (): Promise<string[]> => rig.page.locator('#invoices tbody .sum').allInnerTexts();

  it('is mapped once by hand, previewed, imported, read by the same columns again, and withdrawn', async () => {
    const { page } = rig;
    await page.goto(`${rig.product.url}/imports`);
    await page.getByRole('link', { name: 'invoices' }).click();
    await page.getByText('No invoice is imported yet.').waitFor();
    await upload('october.csv', INVOICE);
    expect(await page.locator('#preview').innerText()).toContain('Month and amount are needed.');
    await page.getByLabel('Month').selectOption('Okres');
    await page.getByLabel('Amount').selectOption('Kwota netto');
    await press('Preview with these columns');
    await page.getByText('The currency is not known').first().waitFor();
    await page.getByLabel('Market').selectOption('Kraj');
    await page.getByLabel('Kind of line').selectOption('Rodzaj');
    await page.getByLabel('Messages').selectOption('Sztuk');
    await page.getByLabel('Currency, if no column says it').fill('pln');
    await press('Preview with these columns');
    // "marketing" is no kind of line: every place is named.
    await page.getByText('"marketing" must be one of charge, tax').waitFor();
    await page.getByLabel('Kind of line').selectOption('');
    await page.getByLabel('Category').selectOption('Rodzaj');
    await press('Preview with these columns');
    await page.getByText('3 lines: 2026-10 charge PLN 1,504.35. Nothing is applied yet.').waitFor();
    expect(await page.locator('#preview tbody tr').allInnerTexts()).toEqual([
      '2\t2026-10\tBrazil\tmarketing\tcharge\t1000\tPLN 1,250.50',
      '3\t2026-10\tBrazil\tutility\tcharge\t20\tPLN 3.75',
      '4\t2026-10\t\ttax\tcharge\t\tPLN 250.10',
    ]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violationsIn(page)).toEqual([]);
    expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
    await page.getByLabel('Keep these columns under a name').fill('partner');
    await press('Import');
    await page.getByText('Imported: october.csv.').waitFor();
    expect(await sums()).toEqual(['2026-10 charge PLN 1,504.35']);
    const [listed] = (await output(rig.data, ['invoice', 'list'])).split('\n');
    expect(JSON.parse(listed!)).toMatchObject({ name: 'october.csv', waba_id: WABA, mapping: 'partner', lines: 3 });

    await upload('november.csv', INVOICE.replaceAll('2026-10', '2026-11'), 'partner');
    await page.getByText('3 lines: 2026-11 charge PLN 1,504.35. Nothing is applied yet.').waitFor();
    expect(await page.getByLabel('Keep these columns under a name').count()).toBe(0);
    await press('Import');
    await page.getByText('Imported: november.csv.').waitFor();
    await page.getByRole('link', { name: 'Withdraw november.csv' }).click();
    await press('Withdraw this invoice');
    await page.getByText('Withdrawn: november.csv.').waitFor();
    expect(await sums()).toEqual(['2026-11 charge PLN 1,504.35', '2026-10 charge PLN 1,504.35']);
    expect(await page.locator('#invoices tbody tr').first().innerText()).toContain('withdrawn');
  });

  it('that cannot be read is not imported, and says why', async () => {
    const { page } = rig;
    await upload('bill.csv', '%PDF-1.7 ');
    expect(await page.locator('#preview').innerText()).toContain('PDF');
    await upload('bill.csv', INVOICE.replace('3,75', 'n/a'), 'partner');
    expect(await page.locator('#preview').innerText()).toContain('"n/a" is not an amount');
    expect(await page.getByRole('button', { name: 'Import', exact: true }).count()).toBe(0);
    await page.goto(`${rig.product.url}/imports/invoices?upload=gone&mapping=partner`);
    expect(await page.locator('#preview').innerText()).toContain('upload');
    expect(await sums()).toHaveLength(2);
  });
});
