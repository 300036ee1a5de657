import { exportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { z } from 'zod';

/** Whether the events of a day are all here. */
const DAY_STATES = ['complete', 'not_over', 'no_later_event', 'gap'] as const;

/** The manifest beside a file. Fields are only ever added. */
export const manifestSchema = z.object({
  manifest_version: z.literal(1),
  schedule: z.string(),
  schedule_id: z.string(),
  report: z.string(),
  /** The parameters of the report: days, zone and filters. */
  query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  by: z.string(),
  zone: z.string(),
  period: z.object({
    label: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    /** `closed`: every row belongs to a closed month, so the file will not change. */
    status: z.enum(['open', 'closed']),
  }),
  /** The clock for what depends on now. Later events are not in the file. */
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
  /** The earlier file of the same period; null the first time. */
  replaces: z.object({ sha256: z.string(), rows: z.number(), totals: exportTotals }).nullable(),
  /** The changes since then: this file minus the earlier one; null the first time. */
  changes: z.object({ rows: z.number(), totals: exportTotals }).nullable().default(null),
  /**
   * Each day of the period, and whether all its events are here: `complete`; `not_over`; `no_later_event`: no event after
   * the day came yet, so some of the day may be missing; `gap`: hours are missing that usually have events. Empty for a
   * report without days.
   */
  days: z.array(z.object({ day: z.string(), status: z.enum(DAY_STATES) })).default([]),
  /** SHA-256 of the manifest that the schedule wrote before this one; null for the first. */
  manifest_before: z.string().nullable(),
  product_version: z.string(),
  schema_version: z.number(),
  /**
   * Identifies the state of the tables that the report reads. When it is the same again, nothing was written since.
   * Empty: not recorded.
   */
  ledger_state: z.string().default(''),
  asked_by: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The path of the manifest of a file. */
export function manifestPath(file: string): string {
  return `${file}.manifest.json`;
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
