import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DayVariance } from '../../schemas/meta.ts';
import { departuresIn, type Departure, type LastDeparture } from '../../services/drift/departures.ts';
import { lookAtMonths, seenBefore, type Seen } from '../../services/drift/months.ts';
import { tellDepartures } from '../../services/drift/telling.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers, listMetaImports, withdrawMetaImport } from '../../services/reconciliation/imports.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { expectedSignature, Receiver } from '../support/receiver.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { answer, file } from './meta.ts';
import { counted, pointsOf, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, NUMBERS, TIER_CARD, traffic, WABA } from './world.ts';

const day = (name: string, day_state: DayVariance['day_state']): DayVariance =>
  ({ waba_id: '10', month: '2026-10', day: name, day_state, rows: 1, currency: 'USD' }) as DayVariance;

describe('departures', () => {
  /** What is noted of one day on looks one after another. */
  function noted(states: readonly DayVariance['day_state'][]): string[] {
    let last = new Map<string, LastDeparture>();
    return states.map((state) => {
      const found = departuresIn([day('2026-10-05', state)], last, 0);
      last = new Map([...last, ...found.map((one): [string, LastDeparture] => [one.day, one])]);
      return found.map(({ number, state: became }) => `${became} ${number}`).join();
    });
  }

  it('are noted once, and anew only after the day came back', () => {
    expect(
      noted(['agrees', 'departs', 'departs', 'missing', 'departs', 'within_tolerance', 'agrees', 'departs', 'agrees']),
    ).toEqual(['', 'departed 1', '', '', '', 'returned 1', '', 'departed 2', 'returned 2']);
  });

  it('say the figures of the day, under a key of their own', () => {
    const [one] = departuresIn([day('2026-10-05', 'departs')], new Map(), Date.UTC(2026, 10, 1));
    expect(JSON.parse(one!.payload)).toEqual({
      event: 'drift_alarm',
      idempotency_key: 'drift:10:2026-10-05:1',
      noted_at: '2026-11-01T00:00:00.000Z',
      waba_id: '10',
      month: '2026-10',
      day: '2026-10-05',
      departure: 1,
      rows: 1,
      currency: 'USD',
    });
  });
});

describe('months in the background', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  let receiver: Receiver;
  const messages = traffic(3).filter(
    ({ trait, stored }) => trait === 'none' && stored.every((event) => event['phone_number_id'] === NUMBERS[0].id),
  );
  const points = pointsOf(
    counted(
      messages.flatMap((message) => message.stored),
      ACCOUNT,
    ),
  );
  const off = points.find((point) => point.day === '2026-10-05' && point.pricing_type === 'REGULAR')!;
  const seen: Seen = new Map();
  const NOW = Date.now();

  async function takeMeta(more: number): Promise<void> {
    const changed = points.map((point): Point => (point === off ? { ...point, volume: point.volume + more } : point));
    await importMetaAnswers(ledger.database, [file(`meta-${more}.json`, answer(changed))], {
      days: 'account',
      asked: { from: '2026-10-01', to: '2026-11-01' },
      by: 'a test',
    });
  }

  const look = async (kept = seen): Promise<string[]> =>
    (await lookAtMonths(ledger.database, kept, NOW)).map(
      ({ day: of, number, state }: Departure) => `${of} ${state} ${number}`,
    );

  async function evaluations(): Promise<string[]> {
    const rows = await ledger.database.query(
      z.object({ by: z.string(), different: z.coerce.number() }),
      `SELECT concat(purpose, ' ', evaluated_by) AS by, different FROM case_evaluations FINAL
       WHERE waba_id = {waba_id:String} ORDER BY evaluated_at`,
      { waba_id: WABA },
    );
    return rows.map(({ by, different }) => `${by}: ${different}`);
  }

  const tell = (now: number, secret: string | null = 'secret'): Promise<number> =>
    tellDepartures(ledger.database, { url: receiver.url, secret }, now, new AbortController().signal);

  beforeAll(async () => {
    ledger = await openLedger(data, 'drift', { accounts: [ACCOUNT] });
    receiver = await Receiver.start();
    const { database } = ledger;
    for (const [name, text] of [
      ['list.csv', LIST_CARD],
      ['tiers.csv', TIER_CARD],
    ] as const)
      await importRateFile(database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
    await ledger.record(parsed(messages.flatMap((message) => message.stored)));
  });
  afterAll(async () => {
    await receiver.close();
    await ledger.close();
    await data.remove();
  });

  /** Two messages of a day that Meta does not count. */
  function late(): unknown[] {
    const at = Date.UTC(2026, 9, 20, 15) / 1000;
    return [1, 2].flatMap((n) => {
      const of = { waba_id: WABA, phone_number_id: NUMBERS[0].id, wa_id: `55119550099${n}`, id: `wamid.late.${n}` };
      const template = { name: 'offer', language: 'pt_BR', category: 'marketing' };
      const pricing = { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' };
      return [
        { event: 'message', direction: 'outbound', ...of, timestamp: at, type: 'template', template },
        { event: 'status', ...of, status: 'delivered', timestamp: at + n, pricing },
      ];
    });
  }

  // One story: each step goes on from where the one before ended.
  it('are evaluated without anybody looking, after an import and after late events, and not otherwise', async () => {
    expect([await look(), await evaluations()]).toEqual([[], []]);
    await takeMeta(0);
    expect([await look(), await evaluations()]).toEqual([[], ['background ctwa-ledger: 0']]);
    expect([await look(), await evaluations()]).toEqual([[], ['background ctwa-ledger: 0']]);
    await takeMeta(4);
    expect(await look()).toEqual(['2026-10-05 departed 1']);
    await ledger.record(parsed(late()));
    expect(await look()).toEqual(['2026-10-20 departed 1']);
    expect(await look()).toEqual([]);
    expect(await evaluations()).toEqual([0, 1, 2].map((different) => `background ctwa-ledger: ${different}`));
  });

  it('tell a webhook once of each day that departed, signed, and again until it is taken', async () => {
    receiver.answering = 500;
    expect(await tell(NOW)).toBe(NOW + 2_000);
    expect(receiver.received).toHaveLength(2);
    // Not before it is due.
    expect(await tell(NOW + 1_000)).toBe(NOW + 2_000);
    expect(receiver.received).toHaveLength(2);
    receiver.answering = 200;
    expect(await tell(NOW + 2_000)).toBe(Infinity);
    expect(await tell(NOW + 9_000)).toBe(Infinity);
    const keys = receiver.received.map(({ key }) => key);
    expect(keys).toEqual([5, 20, 5, 20].map((n) => `drift:${WABA}:2026-10-${String(n).padStart(2, '0')}:1`));
    const [first, , again] = receiver.received;
    expect(first!.signature).toBe(expectedSignature('secret', first!));
    expect(again!.body).toBe(first!.body);
    expect(JSON.parse(first!.body)).toMatchObject({
      event: 'drift_alarm',
      waba_id: WABA,
      day: '2026-10-05',
      different_rows: 1,
      volume_difference: '-4',
      gross_volume_difference: '4',
    });
  });

  it('note that a day came back, and nothing of what was seen by a process that is gone', async () => {
    const [latest] = await listMetaImports(ledger.database);
    await withdrawMetaImport(ledger.database, latest!.import_id, 'a test');
    expect(await look()).toEqual(['2026-10-05 returned 1']);
    expect(await look(await seenBefore(ledger.database))).toEqual([]);
    expect(await tell(NOW + 10_000)).toBe(Infinity);
    expect(receiver.received).toHaveLength(4);
  });
});
