import { expect, it } from 'vitest';
import { KeyFilter } from '../../services/ledger/threads/known-keys.ts';
import { keyOfMessage } from '../../services/ledger/events/keys.ts';

const key = (i: number): number =>
  keyOfMessage({ phone_number_id: '106540352242922' as never, id: `wamid.${i}` as never });

it('a filter finds every key that was added, and few others', () => {
  const count = 600_000;
  const filter = new KeyFilter(count);
  for (let i = 0; i < count; i++) filter.add(key(i));
  let missed = 0;
  for (let i = 0; i < count; i++) if (!filter.has(key(i))) missed += 1;
  expect(missed).toBe(0);
  let found = 0;
  for (let i = count; i < 2 * count; i++) if (filter.has(key(i))) found += 1;
  expect(found / count).toBeLessThan(0.01);
  expect(filter.isFull).toBe(false);
  for (let i = count; i < 6 * count; i++) filter.add(key(i));
  expect(filter.isFull).toBe(true);
});
