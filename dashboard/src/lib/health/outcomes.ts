import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';

/** One term of `read = stored + duplicate + rejected`. */
export interface Term {
  readonly sign: '' | '=' | '+';
  readonly name: string;
  readonly events: number;
}

/** The outcomes as terms of a sum. Events sent to Kafka are a term only when there are some. */
export function sumOf({ read, stored, duplicate, rejected, produced }: ProcessFigures['outcomes']): Term[] {
  return [
    { sign: '', name: 'read', events: read },
    { sign: '=', name: 'stored', events: stored },
    { sign: '+', name: 'duplicate', events: duplicate },
    { sign: '+', name: 'rejected', events: rejected },
    ...(produced > 0 ? [{ sign: '+' as const, name: 'handed on to Kafka', events: produced }] : []),
  ];
}
