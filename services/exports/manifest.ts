import { exportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { z } from 'zod';

/** What is said of a file beside it. Fields are only ever added. */
export const manifestSchema = z.object({
  manifest_version: z.literal(1),
  schedule: z.string(),
  schedule_id: z.string(),
  report: z.string(),
  /** As the report was asked: days, zone, and what it is narrowed to. */
  query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  by: z.string(),
  zone: z.string(),
  period: z.object({
    label: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    /** `closed`: every row is of a month that is closed, so that the file stays as it is. */
    status: z.enum(['open', 'closed']),
  }),
  /** The clock of what depends on now; events that came later are not in it. */
  as_of: z.string(),
  is_frozen: z.boolean(),
  closings: z.array(z.object({ waba_id: z.string(), month: z.string(), closed_at: z.string(), checksum: z.string() })),
  file: z.string(),
  format: z.string(),
  compression: z.string(),
  rows: z.number(),
  bytes: z.number(),
  sha256: z.string(),
  totals: exportTotals,
  columns: z.array(z.object({ name: z.string(), type: z.string(), is_nullable: z.boolean(), meaning: z.string() })),
  /** Of the same period, where it was written before; null the first time. */
  replaces: z.object({ sha256: z.string(), rows: z.number(), totals: exportTotals }).nullable(),
  /** What changed since then: now less what it replaces; null the first time. */
  changes: z.object({ rows: z.number(), totals: exportTotals }).nullable().default(null),
  /** SHA-256 of the manifest that the schedule wrote before this one; null for the first. */
  manifest_before: z.string().nullable(),
  product_version: z.string(),
  schema_version: z.number(),
  /** Tells what had been written to the tables of the report by then: the same means nothing was since. Empty: not kept. */
  ledger_state: z.string().default(''),
  asked_by: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Where the manifest of a file lies. */
export function manifestPath(file: string): string {
  return `${file}.manifest.json`;
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
