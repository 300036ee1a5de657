import { randomInt } from 'node:crypto';

const RANDOM_BITS = 20;

/** Identifies something that is written now and orders it by when it began: milliseconds since 1970 and 20 random bits. */
export function newStamp(): bigint {
  return (BigInt(Date.now()) << BigInt(RANDOM_BITS)) | BigInt(randomInt(1 << RANDOM_BITS));
}
