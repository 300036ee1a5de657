import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ActionableError } from '../../services/clickhouse/errors.ts';
import { withLedger } from '../support/ledger.ts';
import { DataDirectory } from '../support/product.ts';

const row = z.object({ n: z.number() });

describe('the engine host', () => {
  const data = new DataDirectory();
  afterAll(() => data.remove());

  it('answers others while it plans a statement that takes its time', async () => {
    await withLedger(data, 'side_by_side', async ({ database }) => {
      const ended: string[] = [];
      const asked = async (name: string, sql: string): Promise<void> => {
        await database.query(row, sql);
        ended.push(name);
      };
      // ClickHouse computes a scalar subquery while it plans the statement.
      const slow = 'SELECT toUInt32((SELECT sum(sleepEachRow(0.1)) FROM numbers(8))) AS n';
      await Promise.all([asked('slow', slow), asked('quick', 'SELECT toUInt8(1) AS n')]);
      expect(ended).toEqual(['quick', 'slow']);
    });
  });

  it('says what went wrong when a statement fails after its first rows', async () => {
    await withLedger(data, 'late_failures', async ({ database }) => {
      const failing = "SELECT toUInt32(throwIf(number = 900000, 'the last straw')) AS n FROM numbers(1000000)";
      const asked = database.query(row, failing);
      await expect(asked).rejects.toThrow(ActionableError);
      await expect(asked).rejects.toThrow('the last straw');
    });
  });

  it('says where the reason is when a streamed answer is broken off', async () => {
    await withLedger(data, 'broken_off', async ({ database }) => {
      const failing = "SELECT toUInt32(throwIf(number = 900000, 'the last drop')) AS n FROM numbers(1000000)";
      const read = async (): Promise<void> => {
        for await (const _ of database.stream(failing));
      };
      await expect(read()).rejects.toThrow(`${data.file('engine.log')} says why`);
      expect(readFileSync(data.file('engine.log'), 'utf8')).toContain('the last drop');
    });
  });
});
