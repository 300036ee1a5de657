import { z } from 'zod';

/** Kinds of triggers: one fires when a first message arrives, the others before a deadline. */
export const TRIGGER_KINDS = ['arrival', 'unanswered', 'window_ends'] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** The receivers of a trigger's firings. */
export const TRIGGER_CHANNELS = ['topic', 'webhook'] as const;
export type TriggerChannel = (typeof TRIGGER_CHANNELS)[number];

/** The default age limit of an arriving message, in seconds. */
const DEFAULT_MAX_AGE_SECONDS = 600;
/** The time in which a reply opens the free entry window, and the longest window that a trigger can look ahead in. */
const REPLY_HOURS = 24;
const WINDOW_HOURS = 168;
const MAX_VALUES = 1_000;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function isWebhookAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username } = new URL(text);
  return username === '' && (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname)));
}

const values = (what: string) =>
  z
    .array(z.string().trim().min(1, `${what} is empty`).max(500))
    .max(MAX_VALUES, `at most ${MAX_VALUES} of ${what}`)
    .default([]);

export const URL_MATCHES = ['exact', 'prefix', 'host'] as const;

/**
 * The conditions and receivers of a trigger. A filter that is left out matches everything; all given ones must match.
 */
export const triggerSchema = z
  .strictObject({
    name: z.string().trim().min(1, 'the trigger has no name').max(200),
    kind: z.enum(TRIGGER_KINDS).default('arrival'),
    /** Hours before the deadline; null for `arrival`. */
    hours: z.number().positive('hours is not above 0').max(WINDOW_HOURS).nullable().default(null),
    filters: z
      .strictObject({
        /** Ad or post ids, any of them. */
        ad_ids: values('ad_ids'),
        /** The address of the ad or post. */
        url: z
          .strictObject({ match: z.enum(URL_MATCHES), value: z.string().trim().min(1).max(2_000) })
          .nullable()
          .default(null),
        /** Business numbers, any of them. */
        phone_number_ids: values('phone_number_ids'),
        /** Names of campaigns from imported ad spend, any of them. */
        campaigns: values('campaigns'),
      })
      .default({ ad_ids: [], url: null, phone_number_ids: [], campaigns: [] }),
    /** Whether firings go to topic `whatsapp.ad-trigger`. */
    to_topic: z.boolean().default(false),
    /** The address that gets signed requests; null = none. */
    webhook_url: z
      .string()
      .trim()
      .max(2_000)
      .refine(isWebhookAddress, 'webhook_url is not an https address without user and password')
      .nullable()
      .default(null),
    /** How old a message may be when it arrives, in seconds; null = no limit. */
    max_age_seconds: z.int().positive().nullable().default(DEFAULT_MAX_AGE_SECONDS),
  })
  .superRefine((trigger, context) => {
    const refuse = (message: string): void => {
      context.addIssue({ code: 'custom', message });
    };
    if (!trigger.to_topic && trigger.webhook_url === null)
      refuse('the trigger tells nobody: give to_topic, webhook_url, or both');
    if (trigger.kind === 'arrival' && trigger.hours !== null)
      refuse('hours is for triggers with a deadline, not for arrival');
    if (trigger.kind !== 'arrival' && trigger.hours === null) refuse('hours is missing: how long before the deadline');
    if (trigger.kind === 'unanswered' && trigger.hours !== null && trigger.hours >= REPLY_HOURS)
      refuse(`hours is not below ${REPLY_HOURS}: a reply opens the free window within ${REPLY_HOURS} hours`);
  });

export type TriggerDefinition = z.infer<typeof triggerSchema>;

/** Reads a definition; a text = what is wrong with it. */
export function readTrigger(value: unknown): TriggerDefinition | string {
  const read = triggerSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `The trigger is not right: ${where}${issue?.message ?? 'unknown'}.`;
}

export const TRIGGER_STATES = ['active', 'paused', 'deleted'] as const;
export type TriggerState = (typeof TRIGGER_STATES)[number];

/** The current state of a trigger. Times are ISO 8601. */
export interface SavedTrigger extends TriggerDefinition {
  readonly trigger_id: string;
  readonly revision: number;
  readonly state: TriggerState;
  readonly changed_at: string;
  readonly changed_by: string;
}

/** A trigger with counts of its firings and deliveries. */
export interface ListedTrigger extends SavedTrigger {
  readonly fired: number;
  readonly last_fired_at: string | null;
  /** Deliveries that were given up and can be replayed. */
  readonly given_up: number;
}

export const DELIVERY_STATES = ['waiting', 'delivered', 'given_up'] as const;
type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The delivery of one firing to one channel. */
export interface TriggerDelivery {
  readonly trigger_id: string;
  readonly trigger_name: string;
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly customer: string;
  readonly channel: TriggerChannel;
  readonly fired_at: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly last_attempt_at: string | null;
  /** HTTP status of the last answer; 0 when there was none. */
  readonly status: number;
  readonly detail: string;
}

/** The deliveries to list; null = all of them. */
export interface AskedDeliveries {
  readonly trigger_id: string | null;
  readonly state: DeliveryState | null;
  readonly limit: number;
}

/** A delivery that is to be tried again. */
export const replaySchema = z.strictObject({
  trigger_id: z.string().min(1),
  message_id: z.string().min(1),
  phone_number_id: z.string().min(1),
});
export type ReplayedDelivery = z.infer<typeof replaySchema>;

/** A message for which a trigger would have fired. */
export interface WouldHaveFired {
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly customer: string;
  readonly entry_at: string;
  /** When it would have fired. */
  readonly at: string;
  readonly ad_id: string;
  readonly source_url: string;
}

/** The result of trying a trigger on the events of the ledger. */
export interface TriggerTest {
  readonly from: string;
  readonly to: string;
  readonly fired: number;
  /** The latest of them, up to a limit. */
  readonly messages: readonly WouldHaveFired[];
}
