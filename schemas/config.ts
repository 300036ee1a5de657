import { IANAZone } from 'luxon';
import { z } from 'zod';
import { exportDefinition } from './exports.ts';

// `create` remembers zones: looking one up takes a millisecond.
const timeZone = z.string().refine((zone) => IANAZone.create(zone).isValid, {
  error: (issue) => `"${String(issue.input)}" is not an IANA time zone; use a name like "America/Sao_Paulo"`,
});

/** One WhatsApp business account (contract.md 5). */
export const accountSchema = z.strictObject({
  waba_id: z.string().min(1),
  name: z.string().optional(),
  time_zone: timeZone.optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'a currency is three capital letters (ISO 4217)')
    .optional(),
  portfolio_id: z.string().min(1).optional(),
  phone_number_ids: z.array(z.string().min(1)).optional(),
  /**
   * Displayed numbers and their ids: Meta's analytics and bills contain the displayed number only. Does not affect
   * marks.
   */
  phone_numbers: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        display: z
          .string()
          .transform((text) => text.replace(/[\s().+-]/g, ''))
          .refine((digits) => /^\d{5,20}$/.test(digits), 'a displayed number has digits only, like 15550783881'),
      }),
    )
    .optional(),
  /** The earliest day of the next month on which a month can be closed without a warning. Does not affect marks. */
  closing_day: z.int().min(1).max(28).optional(),
  /** Whether one person requests the closing of a month and another one confirms it. Does not affect marks. */
  second_person: z.boolean().optional(),
  /**
   * How much may be written off in a month of differences from Meta's numbers, row by row: an amount in the account's
   * currency, and messages. Neither: nothing. Does not affect marks.
   */
  write_off_amount: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,8})?$/, 'is no amount like 25 or 12.50')
    .optional(),
  write_off_messages: z.int().min(0).max(1_000_000_000).optional(),
  /**
   * By how much the volume of a row may differ from Meta's: per cent of Meta's, and messages; the larger counts. Does not affect
   * marks.
   */
  tolerance_percent: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,6})?$/, 'is no number like 0.5')
    .refine((text) => Number(text) <= 100, 'is more than 100')
    .optional(),
  tolerance_messages: z.int().min(0).max(1_000_000_000).optional(),
  /**
   * For how many months before the current one raw events of conversations are kept; without it for good. Does not affect
   * marks.
   */
  keep_events_months: z.int().min(1).max(240).optional(),
});

/** Until that day Meta's numbers for the last days of a month still change. */
export const DEFAULT_CLOSING_DAY = 5;

/** Settings for what rules.md leaves to this project. Every key has a default. */
export const policySchema = z.strictObject({
  /** W2: the `referral.source_type` values that make an entry. */
  entry_sources: z.array(z.string().min(1)).default(['ad', 'post']),
  /** W4: the clock of windows: delivery or sending. */
  clock: z.enum(['delivered', 'sent']).default('delivered'),
  /** F6: whether message echoes are outside the API's bill, or treated like any other message. */
  echoes: z.enum(['apart', 'counted']).default('apart'),
  /** F6: whether a message echo answers an entry. */
  echoes_reply: z.boolean().default(true),
  /** F9: whether names that events say are one person's are one customer, or each a customer of its own. */
  identities: z.enum(['linked', 'apart']).default('linked'),
  /** W3: whether a reaction answers an entry. */
  reactions_reply: z.boolean().default(false),
  /** W8: the longest free entry window that a report may claim, in hours. Longer ones are ignored. */
  max_window_hours: z
    .int()
    .positive()
    .max(24 * 365)
    .default(168),
});

export type Account = z.infer<typeof accountSchema>;
export type PolicySettings = z.infer<typeof policySchema>;

export const DEFAULT_POLICY_SETTINGS: PolicySettings = policySchema.parse({});

/** The file `ctwa-ledger.config.json`. An unknown key is an error that names it. */
export const configSchema = z.strictObject({
  accounts: z
    .array(accountSchema)
    .refine((accounts) => new Set(accounts.map((a) => a.waba_id)).size === accounts.length, 'a waba_id is listed twice')
    .optional(),
  policy: policySchema.optional(),
  /** The address to tell when a day departs from Meta's numbers. Does not affect marks. */
  alarms: z
    .strictObject({
      webhook_url: z.url({ protocol: /^https?$/, error: 'is no address like https://example.com/hook' }),
    })
    .optional(),
  /** Scheduled exports, kept in the ledger by `start` or `exporter`. Do not affect marks. */
  exports: z
    .array(exportDefinition)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'the name of an export is listed twice')
    .optional(),
});

export type Config = z.infer<typeof configSchema>;
