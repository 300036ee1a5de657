import { expect, it } from 'vitest';
import { Behind } from '../../services/kafka/behind.ts';

it('is a backlog when the partitions together have much waiting', () => {
  const behind = new Behind();
  expect(behind.isBacklog(0)).toBe(false);
  behind.note('messages', 0, 60_000, 1);
  expect(behind.isBacklog(0)).toBe(false);
  behind.note('statuses', 0, 60_000, 1);
  expect(behind.isBacklog(0)).toBe(true);
});

it('ends when the last fetches came close to the end', () => {
  const behind = new Behind();
  behind.note('messages', 0, 900_000, 1);
  behind.note('messages', 0, 10, 1);
  expect(behind.isBacklog(0)).toBe(false);
});

it('goes on until nothing is left, once much of it is gathered', () => {
  const behind = new Behind();
  behind.note('messages', 0, 1, 1);
  expect([behind.isBacklog(99_999), behind.isBacklog(100_000)]).toEqual([false, true]);
  behind.note('messages', 0, 0, 1);
  expect(behind.isBacklog(900_000)).toBe(false);
});

it('forgets partitions of an earlier assignment: another member reads them', () => {
  const behind = new Behind();
  behind.note('messages', 0, 900_000, 1);
  behind.note('messages', 1, 0, 2);
  expect(behind.isBacklog(0)).toBe(false);
});
