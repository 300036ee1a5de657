import { importSpendFile, listSpendImports, previewSpendFile, withdrawSpendImport } from '../../spend/spend.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import type { CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

/** One JSON object: what was done, or with `--dry-run` what would be. */
export async function spendImport(path: string, options: CommonOptions & { readonly dryRun?: boolean }): Promise<void> {
  const file = readGivenFile(path);
  await withLedger('spend import', options, async ({ database }) => {
    if (options.dryRun === true) {
      writeLines([await previewSpendFile(database, file)]);
      return;
    }
    const planned = await importSpendFile(database, { ...file, by: userName() });
    writeLines([planned]);
    if (planned.outcome === 'unchanged')
      process.stderr.write(`${file.name} was imported before and holds: nothing changes.\n`);
  });
}

/** One JSON object per import, also of those that were replaced or withdrawn. */
export async function spendList(options: CommonOptions): Promise<void> {
  await withExistingLedger('spend list', options, async ({ database }) => {
    writeLines(await listSpendImports(database));
  });
}

export async function spendWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('spend withdraw', options, async ({ database }) => {
    writeLines([await withdrawSpendImport(database, import_id, userName())]);
  });
}
