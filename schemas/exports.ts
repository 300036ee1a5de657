import { z } from 'zod';
import { readDestination } from './destinations.ts';
import { isDay } from './report-filters.ts';

/** Formats of export files. */
export const EXPORT_FORMATS = ['csv', 'xlsx', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_COMPRESSIONS = ['none', 'gzip'] as const;
export type ExportCompression = (typeof EXPORT_COMPRESSIONS)[number];

/** How the files of a schedule lie: in one folder, or in folders like `period=2026-10`. */
export const EXPORT_LAYOUTS = ['flat', 'key=value'] as const;

/**
 * The days of a run, relative to its day in the schedule's zone. `last-closed-month` is the last month that is closed
 * when it runs; `all` is for reports without days.
 */
export const EXPORT_PERIODS = [
  'yesterday',
  'last-week',
  'last-month',
  'last-closed-month',
  'this-week',
  'this-month',
  'all',
] as const;
export type ExportPeriod = (typeof EXPORT_PERIODS)[number];

/** A name that is also the name of a folder, with characters that all file systems accept. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/;
const exportName = z
  .string()
  .regex(NAME, 'use up to 60 letters, digits, and . _ - between them')
  .describe('What the schedule is called.');

/** Folders below the directory of the exporter, without a way out of it. */
const exportFolder = z
  .string()
  .max(200)
  .refine((folder) => folder.split('/').every((part) => NAME.test(part)), {
    message: 'use a folder below the directory of the exporter, like finance/charges',
  });

/** A second destination of the files. */
const exportTarget = z
  .string()
  .max(2_000)
  .superRefine((text, context) => {
    const read = readDestination(text);
    if (typeof read === 'string') context.addIssue({ code: 'custom', message: read });
  });

const receiver = z.url({ protocol: /^https?$/, error: 'use an address like https://example.com/exports' }).max(2_000);

/** What is exported, when, and to where. */
export const exportDefinition = z.strictObject({
  name: exportName,
  report: z.string().describe('The report.'),
  filters: z
    .record(z.string(), z.string())
    .default({})
    .describe('What the report is asked for besides its days: waba_id, category, tz and others.'),
  columns: z
    .array(z.string())
    .default([])
    .describe('Which columns, in the order that the report has; none named means all.'),
  when: z
    .string()
    .max(200)
    .describe('When: "every weekday 06:00", "1st of the month 07:00", or five fields of cron; a zone may follow.'),
  zone: z.string().default('UTC').describe('IANA time zone of the times and of the days of a run.'),
  period: z.enum(EXPORT_PERIODS).describe('The days of a run, seen from the day of its time.'),
  format: z.enum(EXPORT_FORMATS).default('csv').describe('What the files are.'),
  compression: z.enum(EXPORT_COMPRESSIONS).default('none').describe('How the files are packed.'),
  folder: exportFolder.optional().describe('Folder below the directory of the exporter; the name when left out.'),
  layout: z
    .enum(EXPORT_LAYOUTS)
    .default('flat')
    .describe('Whether files lie in one folder, or in folders like report=charges/period=2026-10.'),
  to: exportTarget
    .optional()
    .describe('Where the files go besides: s3://bucket/prefix?region=… or sftp://user@host/folder?host_key=SHA256:…'),
  notify: receiver.optional().describe('Who is told when a file is there, by a signed request.'),
});
export type ExportDefinition = z.infer<typeof exportDefinition>;

const day = z.string().refine(isDay, 'use YYYY-MM-DD');
/** Days to backfill. */
export const exportDays = z.strictObject({
  from: day.describe('The first day, YYYY-MM-DD.'),
  to: day.describe('The day after the last one.'),
});

export const EXPORT_STATES = ['active', 'paused', 'removed'] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

/** A schedule as the ledger stores it. */
export interface ExportSchedule {
  readonly schedule_id: string;
  readonly version: number;
  readonly state: ExportState;
  readonly definition: ExportDefinition;
  /** Unix seconds: periods that were due before are not caught up. */
  readonly since: number;
  readonly changed_at: string;
  readonly changed_by: string;
  /** Who added it. */
  readonly made_by: string;
}

export const RUN_STATES = ['running', 'done', 'retry', 'failed'] as const;

/** Amounts as decimal text, by currency and column. */
export const exportTotals = z.record(z.string(), z.record(z.string(), z.string()));
export type ExportTotals = z.infer<typeof exportTotals>;

/** The run of a schedule's period. */
export interface ExportRun {
  readonly schedule_id: string;
  readonly period_from: string;
  readonly period_to: string;
  readonly state: (typeof RUN_STATES)[number];
  readonly attempt: number;
  /** Null when somebody asked for it. */
  readonly due_at: string | null;
  readonly asked_by: string;
  readonly began_at: string;
  readonly ended_at: string | null;
  readonly seconds: number | null;
  readonly next_attempt_at: string | null;
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly manifest_sha256: string;
  readonly totals: ExportTotals;
  readonly is_frozen: boolean;
  readonly error: string;
}

/** The data of the page of exports. */
export interface ExportsOverview {
  readonly exports: readonly ShownExport[];
  /** Reports that can be exported on a schedule. */
  readonly reports: readonly string[];
}

/** A schedule with its next times and its last run, for pages, API and commands. */
export interface ShownExport extends ExportDefinition {
  readonly schedule_id: string;
  readonly state: ExportState;
  /** The next three times in the zone of the schedule, ISO 8601 with offset; empty while it is paused. */
  readonly next: readonly string[];
  readonly last_run: ExportRun | null;
  /** Whether the configuration file of the exporter lists it. */
  readonly is_configured: boolean;
  readonly changed_at: string;
  readonly changed_by: string;
}
