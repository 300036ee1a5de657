import { z } from 'zod';
import { count, utcInstant } from './cells.ts';
import type { AskedPage } from './asked.ts';

/** Rejected inputs that wait, by reason. */
export const waitingLettersRow = z.object({
  code: z.string(),
  letters: count,
  /** When the oldest and the newest of them came first: one that comes again is not another one. */
  first_seen_at: utcInstant,
  last_seen_at: utcInstant,
});
export type WaitingLettersRow = z.infer<typeof waitingLettersRow>;

/** One rejected input, as it is listed. */
export const deadLetterRow = z.object({
  source: z.string(),
  partition: z.int(),
  position: z.string(),
  code: z.string(),
  message: z.string(),
  first_seen_at: utcInstant,
  /** Tells two values at one place apart; 64 bits, as text. */
  content_hash: z.string(),
  bytes: count,
  /** The first characters of the value; what is no text in it is replaced. */
  beginning: z.string(),
});
export type DeadLetterRow = z.infer<typeof deadLetterRow>;

/** What rejected inputs can be sorted by; `source` means the place in it, too. */
export const LETTER_COLUMNS = ['first_seen_at', 'source', 'code', 'bytes'] as const;
export type LetterColumn = (typeof LETTER_COLUMNS)[number];

/** A page of rejected inputs. */
export interface AskedLetters extends AskedPage<LetterColumn> {
  /** Null: of every reason. */
  readonly code: string | null;
}

/** A process that writes marks. */
export const writerRow = z.object({ command: z.string(), seen_at: utcInstant });
type WriterRow = z.infer<typeof writerRow>;

/** Records of Kafka that were deleted there before they were read. */
export const lostRecordsRow = z.object({
  topic: z.string(),
  partition: z.number(),
  /** Of the first of them; 64 bits, as text. */
  first_offset: z.string(),
  records: z.string(),
  noticed_at: utcInstant,
});
export type LostRecordsRow = z.infer<typeof lostRecordsRow>;

/** How complete a ledger is, beyond what every page shows. */
/** What traffic brings that the figures cannot show as it is, over the whole ledger. */
export const trafficRow = z.object({
  /** First messages that came without their content, and so perhaps without their ad. */
  lost_referrals: z.coerce.number(),
  /** Messages whose own event names another customer than Meta's statuses (F3). */
  customers_differ: z.coerce.number(),
});
type Traffic = z.infer<typeof trafficRow>;

export interface Health {
  readonly traffic: Traffic;
  readonly writers: readonly WriterRow[];
  readonly epoch: string;
  /** Of what decides marks: zones, numbers, policy. */
  readonly configuration_hash: string;
  readonly waiting: readonly WaitingLettersRow[];
  /** What Kafka can give back no more, the latest first. */
  readonly lost: readonly LostRecordsRow[];
}

/** What one process did with what it read since it started. read = stored + duplicate + rejected + produced. */
export interface ProcessFigures {
  /** Unix seconds. */
  readonly started_at: number;
  readonly outcomes: {
    readonly read: number;
    readonly stored: number;
    readonly duplicate: number;
    readonly rejected: number;
    /** Handed on to Kafka, and read again from there. */
    readonly produced: number;
  };
  /** Work that failed and is tried again, by what it was; none that never failed. */
  readonly failures: readonly { readonly work: string; readonly times: number }[];
  /** Records of its partitions that are not consumed yet, as last measured; null where it does not consume. */
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly records: number }[] | null;
}

/** What became of letters that were tried again. */
export interface ReplayedLetters {
  readonly letters: number;
  /** Letters whose every event is in the ledger now. */
  readonly replayed: number;
  readonly still_rejected: number;
}
