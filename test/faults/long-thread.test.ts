import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { begin, countsOf, numberFrom, withLedger, writeNdjson } from '../support/ledger.ts';
import { DataDirectory, NUMBER } from '../support/product.ts';

const AT = 1_785_000_000;
const MESSAGES = 50_000;
const MAX_MIB = 1024;

const data = new DataDirectory();
afterAll(() => data.remove());

/** One customer who is written to once a minute, and writes every third time. */
function* events(): Generator<object> {
  const who = { phone_number_id: NUMBER, wa_id: '16505551234' };
  for (let i = 0; i < MESSAGES; i++) {
    const at = AT + i * 60;
    const isInbound = i % 3 === 0;
    const referral = i % 300 === 0 ? { referral: { source_type: 'ad', source_id: 'ad1' } } : {};
    const direction = isInbound ? 'inbound' : 'outbound';
    yield { event: 'message', direction, ...who, id: `m${i}`, timestamp: `${at}`, type: 'text', ...referral };
    // Statuses of messages that nothing else is known of make rows of their own.
    const id = isInbound ? `s${i}` : `m${i}`;
    for (const [later, status] of ['sent', 'delivered', 'read'].entries())
      yield { event: 'status', ...who, id, timestamp: `${at + later}`, status };
  }
}

/** The most memory that a process has held so far, MiB; 0 when it has ended. */
function peakMiB(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

it('a thread of 200,000 events fits in memory, and is marked whole', async () => {
  const file = writeNdjson(data, 'long.ndjson', [...events()]);
  const { child, finished } = begin(data, ['ingest', file, '--data', data.path]);
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakMiB(child.pid))), 20);
  const ended = await finished.finally(() => {
    clearInterval(watch);
  });
  expect(ended.code, ended.stderr).toBe(0);
  expect(countsOf(ended)).toMatchObject({ read: 4 * MESSAGES, stored: 4 * MESSAGES });
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MAX_MIB);
  await withLedger(data, 'ctwa_ledger', async ({ database }) => {
    expect(await numberFrom(database, 'SELECT count() AS n FROM message_marks FINAL')).toBe(MESSAGES);
    expect(await numberFrom(database, 'SELECT count() AS n FROM entry_marks FINAL')).toBe(Math.ceil(MESSAGES / 300));
  });
});
