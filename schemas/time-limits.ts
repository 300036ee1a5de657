/** The last second of events, 2106-02-07T06:28:15Z: the ledger stores Unix time in 32 bits. */
export const LAST_SECOND = 4_294_967_295;

/** The first day of the ledger's time, and the day after the last one in any zone. */
export const FIRST_DAY = '1970-01-01';
export const END_DAY = '2106-02-09';

/** Events before this day are rejected, so no range needs days before it. */
export const FIRST_DAY_OF_EVENTS = '2015-01-01';

/** Days that a user may enter. Others are typing mistakes. */
export const FIRST_GIVEN_DAY = '2000-01-01';
export const LAST_GIVEN_DAY = '2099-12-31';
