import { canonicalEvent, type StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Mark, PolicyName, Report } from './marks.ts';

/** Normalises a category: lower case with `_`, however Meta spells it (F5). */
export function normaliseCategory(category: string): string {
  return category === '' ? '' : category.toLowerCase().replaceAll('-', '_');
}

const GROUP_PREFIX = /^group_(?=.)/s;

/** F8: the category by which a group message is rated and treated. */
export function ratedCategory(category: string): string {
  return category.replace(GROUP_PREFIX, '');
}

/** V1: among statuses of the same second, the later stage of a message's life counts. */
function stage(status: string): number {
  switch (status) {
    case 'sent':
      return 1;
    case 'delivered':
      return 2;
    case 'read':
      return 3;
    case 'played':
      return 4;
    case 'failed':
      return 5;
    default:
      return 0;
  }
}

function carriesReport(status: StatusEvent): boolean {
  return status.pricing_type !== '' || status.pricing_category !== '' || status.pricing_billable !== -1;
}

/** Whether `a` decides over `b` (V1; ties by F2). */
function decidesOver(a: StatusEvent, b: StatusEvent): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  const stages = stage(a.status) - stage(b.status);
  if (stages !== 0) return stages > 0;
  return compareUtf8(canonicalEvent(a), canonicalEvent(b)) > 0;
}

function reportedMark(status: StatusEvent, category: string): Mark {
  switch (status.pricing_type) {
    case 'free_entry_point':
      return 'FREE_ENTRY';
    case 'free_customer_service':
    case 'free_group_customer_service':
      return 'FREE_SERVICE';
    case 'regular':
      return 'BILLABLE';
    case '':
      return category === 'referral_conversion' ? 'FREE_ENTRY' : byBillable(status);
    default:
      return byBillable(status);
  }
}

function byBillable({ pricing_billable }: StatusEvent): Mark {
  if (pricing_billable === -1) return 'UNKNOWN';
  return pricing_billable === 1 ? 'BILLABLE' : 'FREE_SERVICE';
}

/** V1: Meta's verdict on one message, read from its statuses; null when none carries one. */
export function readReport(statuses: readonly StatusEvent[]): Report | null {
  let deciding: StatusEvent | undefined;
  for (const status of statuses)
    if (carriesReport(status) && (deciding === undefined || decidesOver(status, deciding))) deciding = status;
  if (deciding === undefined) return null;
  const category = normaliseCategory(deciding.pricing_category);
  return {
    mark: reportedMark(deciding, category),
    category,
    pricing_model: deciding.pricing_model,
    conversation_id: deciding.conversation_id,
  };
}

/**
 * V1a: a CBP report is about the whole conversation. Call once per delivered message of a thread, in the order of W4,
 * with the same `seen`.
 * @param seen conversation ids that already have their charged message
 */
export function spreadOverConversation(report: Report | null, predicted: Mark, seen: Set<string>): Report | null {
  if (report === null || report.pricing_model !== 'CBP' || report.mark !== 'BILLABLE') return report;
  if (report.conversation_id === '') return predicted === 'COVERED' ? { ...report, mark: 'COVERED' } : report;
  if (seen.has(report.conversation_id)) return { ...report, mark: 'COVERED' };
  seen.add(report.conversation_id);
  return report;
}

/** V2: whether Meta's report is known and differs from the prediction. */
export function differsFromReport(predicted: Mark, report: Report | null): boolean {
  return report !== null && report.mark !== 'UNKNOWN' && report.mark !== predicted;
}

/** V2: the mark that the bill follows, and how prediction and report compare. */
export function judge(
  predicted: Mark,
  report: Report | null,
  category: string,
  policy: PolicyName | null,
): { readonly billing: Mark; readonly is_mismatch: boolean; readonly is_allowance_difference: boolean } {
  if (policy === null) return { billing: 'UNDELIVERED', is_mismatch: false, is_allowance_difference: false };
  if (report === null || report.mark === 'UNKNOWN')
    return { billing: predicted, is_mismatch: false, is_allowance_difference: false };
  const is_allowance_difference =
    policy === 'PMP-2026-10' &&
    ratedCategory(category) === 'service' &&
    predicted === 'BILLABLE' &&
    report.mark === 'FREE_SERVICE';
  return {
    billing: report.mark,
    is_mismatch: differsFromReport(predicted, report) && !is_allowance_difference,
    is_allowance_difference,
  };
}
