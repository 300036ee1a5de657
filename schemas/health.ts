import { z } from 'zod';
import { count, utcInstant } from './cells.ts';
import type { AskedPage } from './asked.ts';
import type { ErasureRow } from './erasures.ts';

/** Rejected inputs that are kept, by reason. */
export const waitingLettersRow = z.object({
  code: z.string(),
  letters: count,
  /** When the oldest and the newest of them first came. An input that comes again counts once. */
  first_seen_at: utcInstant,
  last_seen_at: utcInstant,
});
export type WaitingLettersRow = z.infer<typeof waitingLettersRow>;

/** One rejected input in a list. */
export const deadLetterRow = z.object({
  source: z.string(),
  partition: z.int(),
  position: z.string(),
  code: z.string(),
  message: z.string(),
  first_seen_at: utcInstant,
  /** Distinguishes values at the same position; 64 bits, as text. */
  content_hash: z.string(),
  bytes: count,
  /** The first characters of the value; bytes that are not text are replaced. */
  beginning: z.string(),
});
export type DeadLetterRow = z.infer<typeof deadLetterRow>;

/** Columns that rejected inputs can be sorted by; `source` also orders by the position in it. */
export const LETTER_COLUMNS = ['first_seen_at', 'source', 'code', 'bytes'] as const;
export type LetterColumn = (typeof LETTER_COLUMNS)[number];

/** A page of rejected inputs. */
export interface AskedLetters extends AskedPage<LetterColumn> {
  /** Null = of every reason. */
  readonly code: string | null;
}

/** A process that writes marks. */
export const writerRow = z.object({ command: z.string(), seen_at: utcInstant });
type WriterRow = z.infer<typeof writerRow>;

/** Records that Kafka deleted before they were read. */
export const lostRecordsRow = z.object({
  topic: z.string(),
  partition: z.number(),
  /** Offset of the first of them; 64 bits, as text. */
  first_offset: z.string(),
  records: z.string(),
  noticed_at: utcInstant,
});
export type LostRecordsRow = z.infer<typeof lostRecordsRow>;

/** How complete a ledger is, beyond what every page shows. */
/** Messages that the figures cannot show as they are, over the whole ledger. */
export const trafficRow = z.object({
  /** First messages that came without their content, and so perhaps without their ad. */
  lost_referrals: z.coerce.number(),
  /** Messages whose own event names another customer than Meta's statuses (F3). */
  customers_differ: z.coerce.number(),
});
type Traffic = z.infer<typeof trafficRow>;

/** Rejected inputs that were dismissed together. */
export const dismissalRow = z.object({
  dismissal_id: z.string(),
  reason: z.string().describe('Why they are not needed.'),
  dismissed_by: z.string(),
  dismissed_at: utcInstant,
  letters: z.coerce.number().describe('How many of them are dismissed now.'),
  source: z.string().describe('Where one of them came from.'),
});
export type Dismissal = z.infer<typeof dismissalRow>;

/** Which rejected inputs that wait are dismissed: of a reason, of a source, or one of them. All that are given narrow it. */
export interface LettersToDismiss {
  readonly code?: string | undefined;
  readonly source?: string | undefined;
  /** Line, offset or time of one input, with the hash of its content; decimal digits. */
  readonly position?: string | undefined;
  readonly content_hash?: string | undefined;
  readonly reason: string;
}

export interface Health {
  readonly traffic: Traffic;
  readonly writers: readonly WriterRow[];
  readonly epoch: string;
  /** Hash of what decides marks: zones, numbers, policy. */
  readonly configuration_hash: string;
  readonly waiting: readonly WaitingLettersRow[];
  /** Dismissals of rejected inputs that hold, the latest first. */
  readonly dismissals: readonly Dismissal[];
  /** Erasures of customers, the latest first. */
  readonly erasures: readonly ErasureRow[];
  /** Records that Kafka no longer has, the latest first. */
  readonly lost: readonly LostRecordsRow[];
}

/** What one process read since it started, by outcome. read = stored + duplicate + rejected + produced. */
export interface ProcessFigures {
  /** Unix seconds. */
  readonly started_at: number;
  readonly outcomes: {
    readonly read: number;
    readonly stored: number;
    readonly duplicate: number;
    readonly rejected: number;
    /** Events that were sent to Kafka, from where they are read again. */
    readonly produced: number;
  };
  /** Work that failed and is tried again, by kind; kinds that never failed are left out. */
  readonly failures: readonly { readonly work: string; readonly times: number }[];
  /** Records of its partitions that are not consumed yet, as last measured; null when it does not consume. */
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly records: number }[] | null;
  readonly webhook: WebhookFigures;
}

/** Whether the webhook of a process can be used, and what it answered last. */
export interface WebhookFigures {
  readonly has_verify_token: boolean;
  readonly has_app_secret: boolean;
  /** Unix seconds, and the HTTP status of the answer; null when nothing was delivered since the process started. */
  readonly last_delivery: { readonly at: number; readonly status: number } | null;
}

/** What became of dead letters that were tried again. */
export interface ReplayedLetters {
  readonly letters: number;
  /** Letters whose events are all in the ledger now. */
  readonly replayed: number;
  readonly still_rejected: number;
}
