/** Small inputs from the field, as they came in files of test/cases, and what is right for each. */
import { readFileSync } from 'node:fs';
import { expandEnvelope } from '../../../schemas/envelope.ts';
import {
  BILLABLE,
  type Cells,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  NO_WINDOW,
  NUMBER,
  UNANSWERED,
} from './builders.ts';

function isEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'event' in value && 'phone_number_id' in value;
}

/** The events of a value: its own, or those of the envelope that it is, wraps or lists. What is unusable has none. */
function eventsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(eventsIn);
  if (typeof value === 'object' && value !== null && 'body' in value) return eventsIn(value.body);
  const expanded = expandEnvelope(value);
  if (expanded === null) return isEvent(value) ? [value] : [];
  return expanded.events;
}

/** The events of a file of test/cases: NDJSON, or one JSON document. */
export function fieldEvents(name: string): unknown[] {
  const text = readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8');
  const values = name.endsWith('.ndjson') ? text.split('\n').filter((line) => line.trim() !== '') : [text];
  return values.flatMap((value) => eventsIn(JSON.parse(value)));
}

const reportedAs = (mark: string): Cells => ({ reported: mark, billing: mark });

/** All of them are of October 2026 or a few weeks before. */
const OCTOBER_5 = `2026-10-05 ${NUMBER}`;
const OCTOBER_6 = `2026-10-06 ${NUMBER}`;
const SEPTEMBER_10 = `2026-09-10 ${NUMBER}`;

export const fieldCases: readonly GoldenCase[] = [
  {
    name: "Brazil's ninth digit: one thread, the window opens, the ad is replied",
    rule: '7.13, F3',
    events: fieldEvents('01-brazil-ninth-digit.ndjson'),
    expect: {
      messages: {
        'wamid.OUT1': {
          predicted: 'FREE_ENTRY',
          ...reportedAs('FREE_ENTRY'),
          customer: '558299990000',
          conversation_id: 'wamid.IN1',
        },
        'wamid.OUT2': { ...FREE_ENTRY, customer: '558299990000', conversation_id: 'wamid.IN1' },
      },
      conversations: {
        'wamid.IN1': {
          reply_message_id: 'wamid.OUT1',
          seconds_to_reply: '600',
          opened_at: '2026-10-05T11:43:22+00:00',
          // As reported: 72 h after Meta's own 11:43:22.
          expires_at: '2026-10-08T11:43:22+00:00',
          free_messages: '2',
        },
      },
      daily: {
        [OCTOBER_5]: { ad_conversations: '1', replied: '1', windows_confirmed: '1', windows_reported_only: '0' },
      },
    },
  },
  {
    name: 'business-scoped ids where numbers belong: customers are the whole ids',
    rule: 'F2',
    events: fieldEvents('03-bsuid-in-phone-fields.ndjson'),
    expect: {
      messages: {
        'wamid.B2': { customer: 'BR.13491208655302741918', predicted: 'FREE_ENTRY', ...reportedAs('BILLABLE') },
        'wamid.B3': { customer: 'IN.91208655302741918000', predicted: 'BILLABLE', ...reportedAs('BILLABLE') },
      },
      conversations: { 'wamid.B1': { customer: 'BR.13491208655302741918', reply_message_id: 'wamid.B2' } },
    },
  },
  {
    name: 'groups: a charge for each participant, and no service window from the group to the member',
    rule: 'F8',
    events: fieldEvents('05-groups.ndjson'),
    expect: {
      messages: {
        ...Object.fromEntries(
          ['5511900000001', '5511900000002', '919900000003'].map((participant) => [
            `wamid.G1 ${participant}`,
            { predicted: 'BILLABLE', ...reportedAs('BILLABLE'), category: 'group_marketing', type: '' },
          ]),
        ),
        'wamid.G2 5511900000001': { ...reportedAs('BILLABLE'), category: 'group_utility' },
        'wamid.G2 5511900000002': { ...reportedAs('BILLABLE'), category: 'group_utility' },
        'wamid.G4': { customer: '5511900000001', predicted: 'BILLABLE', ...reportedAs('BILLABLE') },
      },
      noMessages: ['wamid.G3'],
      daily: { [OCTOBER_5]: { messages: '6', delivered: '6', billable: '6', mismatches: '0' } },
    },
  },
  {
    name: 'a text from the app, its edit and revocation; a revocation answers nothing',
    rule: '7.14, F7',
    events: fieldEvents('06-coexistence-edit-revoke.ndjson'),
    expect: {
      messages: { 'wamid.E1': FREE_SERVICE },
      noMessages: ['wamid.E2', 'wamid.E3', 'wamid.F3'],
      conversations: {
        'wamid.E0': { reply_message_id: 'wamid.E1', seconds_to_reply: '100', ...NO_WINDOW },
        'wamid.F0': UNANSWERED,
      },
      daily: { [OCTOBER_5]: { messages: '1', ad_conversations: '2', replied: '1', windows_opened: '0' } },
    },
  },
  {
    name: 'the first message of an ad came without its ad: a window that only Meta knows of',
    rule: 'V2, W8',
    events: fieldEvents('07-ctwa-first-message-unavailable.ndjson'),
    expect: {
      messages: {
        'wamid.K1': { predicted: 'BILLABLE', ...reportedAs('FREE_ENTRY'), category: 'service', conversation_id: '' },
        'wamid.K2': { predicted: 'BILLABLE', ...reportedAs('FREE_ENTRY'), conversation_id: '' },
      },
      noConversations: ['wamid.K0'],
      daily: {
        [OCTOBER_5]: {
          lost_referrals: '1',
          windows_reported_only: '1',
          messages_reported_only: '1',
          ad_conversations: '0',
          windows_opened: '0',
          mismatches: '1',
        },
        [OCTOBER_6]: { lost_referrals: '0', windows_reported_only: '0', messages_reported_only: '1', free_entry: '1' },
      },
    },
  },
  {
    name: 'statuses of payments are of no message',
    rule: 'contract 1',
    events: fieldEvents('08-payment-statuses.ndjson'),
    expect: {
      messages: { 'wamid.PAY1': { predicted: 'BILLABLE', ...reportedAs('BILLABLE'), type: 'interactive' } },
      noMessages: ['ABMAAQVBAXmFlQ', 'ABMAAQVBAXmFlR'],
      daily: { [OCTOBER_5]: { messages: '1', delivered: '1' } },
    },
  },
  {
    name: 'wrapped, listed and bare envelopes are one message',
    rule: 'contract 1, F2',
    events: fieldEvents('14-wrapped-envelopes.ndjson'),
    expect: {
      messages: { 'wamid.S1': { ...reportedAs('BILLABLE'), category: 'utility', customer: '31612340040' } },
      noMessages: ['gBEGkYYGMoJXAgmE6nNS5OrwajQ'],
      daily: { [SEPTEMBER_10]: { messages: '1' } },
    },
  },
  {
    name: 'an envelope printed over many lines',
    rule: 'contract 1',
    events: fieldEvents('15-pretty-printed.json'),
    expect: { messages: { 'wamid.S1': { ...reportedAs('BILLABLE'), category: 'utility' } } },
  },
  {
    name: "a customer's call opens the service window",
    rule: 'W1',
    events: fieldEvents('19b-call-opens-csw.ndjson'),
    expect: {
      messages: { 'wamid.V9': { predicted: 'FREE_SERVICE', ...reportedAs('FREE_SERVICE') } },
      daily: { [SEPTEMBER_10]: { messages: '1', mismatches: '0' } },
    },
  },
  {
    name: 'statuses and types never heard of: what says billable is believed',
    rule: '7.15, V1',
    events: fieldEvents('22-unknown-statuses.ndjson'),
    expect: {
      messages: {
        'wamid.Y9': { predicted: 'UNDELIVERED', reported: '', billing: 'UNDELIVERED' },
        'wamid.Y1': { predicted: 'UNDELIVERED', reported: '', billing: 'UNDELIVERED' },
        'wamid.Y2': { predicted: 'FREE_SERVICE', ...reportedAs('FREE_SERVICE') },
        'wamid.Y3': { predicted: 'FREE_SERVICE', ...reportedAs('FREE_SERVICE'), category: 'group_service' },
        'wamid.Y4': { predicted: 'BILLABLE', ...reportedAs('BILLABLE'), category: 'marketing' },
      },
      noMessages: ['wamid.Y0'],
      daily: { [SEPTEMBER_10]: { messages: '5', delivered: '3', unknown: '0', mismatches: '0' } },
    },
  },
  {
    name: 'answered from the app, API templates a day later: charged, no window',
    rule: '7.12, F6',
    events: fieldEvents('27-app-reply-then-api-template.ndjson'),
    expect: {
      messages: {
        'wamid.CA1': FREE_SERVICE,
        'wamid.CA2': BILLABLE,
        'wamid.CA3': { predicted: 'BILLABLE', ...reportedAs('BILLABLE') },
      },
      conversations: { 'wamid.CA0': { reply_message_id: 'wamid.CA1', seconds_to_reply: '600', ...NO_WINDOW } },
      daily: { [OCTOBER_5]: { ad_conversations: '1', replied: '1', windows_opened: '0' } },
    },
  },
];
