import { expect } from 'vitest';
import { DEFAULT_POLICY_SETTINGS, policySchema, type PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import type { GoldenCase } from '../oracle/golden.ts';
import { rowNamed } from '../oracle/golden/builders.ts';
import type { OracleReports, Row } from '../oracle/oracle.ts';

/** The clock of a golden case that names none: everything is mature. */
export const LATER = Date.parse('2026-11-20T00:00:00Z') / 1000;

export function policyOf(golden: GoldenCase): PolicySettings {
  return policySchema.parse({ ...DEFAULT_POLICY_SETTINGS, ...golden.policy });
}

function keyed(rows: readonly Row[], ...columns: string[]): Map<string, Row> {
  return new Map(rows.map((row) => [columns.map((column) => row[column]).join(' '), row]));
}

/** Holds reports to all that a golden case expects of them. */
export function expectGolden(reports: OracleReports, { expect: wanted }: GoldenCase): void {
  const tables = {
    conversations: keyed(reports.conversations, 'conversation_id'),
    daily: keyed(reports.daily, 'day', 'phone_number_id'),
    ads: keyed(reports.ads, 'ad_id', 'source_type'),
  };
  for (const [key, cells] of Object.entries(wanted.messages ?? {})) {
    expect({ [`messages ${key}`]: rowNamed(reports.messages, key) }).toMatchObject({ [`messages ${key}`]: cells });
  }
  for (const name of ['conversations', 'daily', 'ads'] as const) {
    for (const [key, cells] of Object.entries(wanted[name] ?? {})) {
      expect({ [`${name} ${key}`]: tables[name].get(key) }).toMatchObject({ [`${name} ${key}`]: cells });
    }
  }
  for (const id of wanted.noMessages ?? []) expect(rowNamed(reports.messages, id)).toBeUndefined();
  for (const id of wanted.noConversations ?? []) expect(tables.conversations.has(id)).toBe(false);
}
