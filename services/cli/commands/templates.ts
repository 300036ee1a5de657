import { importTemplates, listTemplateImports, listTemplates, withdrawTemplates } from '../../send-check/templates.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import type { CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface TemplatesImportOptions extends CommonOptions {
  readonly waba?: string;
}

/**
 * Prints one JSON object: how many templates the file has, how many are new, and which have another category than
 * before.
 */
export async function templatesImport(path: string, options: TemplatesImportOptions): Promise<void> {
  const file = readGivenFile(path);
  await withLedger('templates import', options, async ({ database }) => {
    const whose = options.waba === undefined ? {} : { waba_id: options.waba };
    writeLines([await importTemplates(database, { ...file, ...whose, by: userName() })]);
  });
}

/** Prints one JSON object per template. */
export async function templatesList(options: CommonOptions): Promise<void> {
  await withExistingLedger('templates list', options, async ({ database }) => {
    writeLines(await listTemplates(database));
  });
}

/** Prints one JSON object per import, replaced and withdrawn ones included. */
export async function templatesImports(options: CommonOptions): Promise<void> {
  await withExistingLedger('templates imports', options, async ({ database }) => {
    writeLines(await listTemplateImports(database));
  });
}

export async function templatesWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('templates withdraw', options, async ({ database }) => {
    writeLines([await withdrawTemplates(database, import_id, userName())]);
  });
}
