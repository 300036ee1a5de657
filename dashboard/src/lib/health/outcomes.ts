import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';

/** One term of `read = stored + duplicate + rejected`. */
export interface Term {
  readonly sign: '' | '=' | '+';
  readonly name: string;
  readonly events: number;
}

/** The outcomes as the sum that they are; what went on to Kafka is a part of it only where something did. */
export function sumOf({ read, stored, duplicate, rejected, produced }: ProcessFigures['outcomes']): Term[] {
  return [
    { sign: '', name: 'read', events: read },
    { sign: '=', name: 'stored', events: stored },
    { sign: '+', name: 'duplicate', events: duplicate },
    { sign: '+', name: 'rejected', events: rejected },
    ...(produced > 0 ? [{ sign: '+' as const, name: 'handed on to Kafka', events: produced }] : []),
  ];
}
