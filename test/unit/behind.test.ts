import { expect, it } from 'vitest';
import { Behind } from '../../services/kafka/behind.ts';

it('is a backlog when the partitions together have much waiting', () => {
  const behind = new Behind();
  expect(behind.isBacklog).toBe(false);
  behind.note('messages', 0, 12_000, 1);
  expect(behind.isBacklog).toBe(false);
  behind.note('statuses', 0, 12_000, 1);
  expect(behind.isBacklog).toBe(true);
});

it('ends when the last fetches came close to the end', () => {
  const behind = new Behind();
  behind.note('messages', 0, 90_000, 1);
  behind.note('messages', 0, 10, 1);
  expect(behind.isBacklog).toBe(false);
});

it('forgets partitions of an earlier assignment: another member reads them', () => {
  const behind = new Behind();
  behind.note('messages', 0, 90_000, 1);
  behind.note('messages', 1, 0, 2);
  expect(behind.isBacklog).toBe(false);
});
