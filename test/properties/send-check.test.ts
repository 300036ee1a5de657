import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { parseSendRequest, type SendAnswer, type SendRequest } from '@ctwa-ledger/schemas/send-check.ts';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { establishFacts } from '../../services/lifecycle/facts.ts';
import { accountNamedAt, addressedThread, comingChanges, sendOutlook } from '../../services/lifecycle/planned.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { importRateFile, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { SendChecks } from '../../services/send-check/send-checks.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { inputArbitrary } from '../oracle/arbitraries.ts';
import { oracleMessages, type OracleMessage, type Row } from '../oracle/oracle.ts';
import { fileText, randomMoney, type MoneyWorld } from '../oracle/rating-arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, EVERYTHING, isFull, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** A send check says what the ledger will say of the same message, sent and delivered at that moment. */

type Fields = Readonly<Record<string, unknown>>;

/** Behind every other id: in its second the message is decided last. */
const ID = '\u{10FFFF}';
const DAY = 86_400;
const NEW_PARTICIPANT = '4479111230000';

const PLANNED = [
  { type: 'template', category: 'marketing' },
  { type: 'template', category: 'utility' },
  { type: 'template', category: 'authentication' },
  { type: 'template', category: 'service' },
  { type: 'template', category: 'unknown' },
  { type: 'text', category: 'service' },
  { type: 'reaction', category: 'service' },
] as const;
type Planned = (typeof PLANNED)[number];

/** The events of a message that is sent and delivered at a time. */
function sentAndDelivered(
  to: {
    readonly phone_number_id: string;
    readonly dialled: string;
    /** What Meta's statuses call the customer. */
    readonly recipient: string;
    readonly is_group: boolean;
  },
  planned: { readonly type: string; readonly category: string },
  waba_id: string,
  at: number,
  id: string = ID,
): Fields[] {
  const { phone_number_id, dialled, recipient, is_group } = to;
  const base = { phone_number_id, id, timestamp: at, ...(waba_id === '' ? {} : { waba_id }) };
  const template = planned.category === 'unknown' ? { name: 'offer' } : { name: 'offer', category: planned.category };
  return [
    {
      ...base,
      event: 'message',
      direction: 'outbound',
      type: planned.type,
      ...(is_group ? { group_id: dialled } : { wa_id: dialled }),
      ...(planned.type === 'template' ? { template } : {}),
    },
    {
      ...base,
      event: 'status',
      status: 'delivered',
      ...(is_group ? { group_id: recipient, participant: NEW_PARTICIPANT } : { wa_id: recipient }),
    },
  ];
}

describe('what a message would be, on random threads', () => {
  it('is what the naive rules make of it once it is sent and delivered', () => {
    const asked = fc.tuple(
      inputArbitrary(),
      fc.nat(),
      fc.constantFrom(0, 1, -1, 3600, DAY - 1, DAY, DAY + 1, 3 * DAY - 1, 3 * DAY, 5 * DAY),
      fc.constantFrom<Planned>(...PLANNED),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(asked, ([{ events, accounts, policy }, pick, offset, planned]) => {
        const all = parsed(events);
        const about = all[pick % all.length];
        if (about === undefined) return;
        const { phone_number_id, group_id } = about;
        const is_group = group_id !== '';
        const dialled = is_group ? group_id : about.customer;
        if (dialled === '') return;
        const at = about.timestamp + offset;
        const rulebook = compileRulebook(accounts, policy);
        const facts = establishFacts(
          phone_number_id,
          all.filter((event) => event.phone_number_id === phone_number_id),
          rulebook,
        );
        const { customer, recipient, thread } = addressedThread(facts, { is_group, name: dialled });
        const named = accountNamedAt(thread, at);
        const waba_id = named === '' ? rulebook.accountOfNumber(phone_number_id as PhoneNumberId) : named;
        const message = { type: planned.type, template_name: 'offer', category: planned.category };
        const outlook = sendOutlook(thread, rulebook, message, waba_id as WabaId | '', at);
        const then = sentAndDelivered({ phone_number_id, dialled, recipient, is_group }, planned, waba_id, at);
        const row = oracleMessages({ events: [...events, ...then], accounts, policy }).find(
          (one) => one.message_id === ID,
        );
        const { mark, without_free_entry } = outlook;
        const expected: Partial<OracleMessage> = {
          predicted: mark,
          billing: mark,
          policy: outlook.policy,
          without_free_entry,
        };
        expect(row).toMatchObject(expected);
        // F9: the message itself may be the latest event that names a number of the customer.
        expect(is_group ? [NEW_PARTICIPANT] : [customer, recipient, dialled]).toContain(row?.customer);
        seen.add(mark);
        // What it says of later is what it says later.
        for (const change of comingChanges(thread, rulebook, waba_id as WabaId | '', outlook)) {
          expect(change.at).toBeGreaterThan(at);
          const later = sendOutlook(thread, rulebook, message, waba_id as WabaId | '', change.at);
          expect({ mark: later.mark, is_allowed: later.is_allowed }).toEqual({
            mark: change.mark,
            is_allowed: change.is_allowed,
          });
        }
      }),
      { numRuns: isFull ? 20_000 : 1_500 },
    );
    expect([...seen].sort()).toEqual(['BILLABLE', 'COVERED', 'FREE_ENTRY', 'FREE_SERVICE', 'UNKNOWN']);
  });
});

describe('a send check of the ledger', () => {
  let data: DataDirectory;
  let databases = 0;
  beforeAll(() => {
    data = new DataDirectory();
  });
  afterAll(() => data.remove());

  async function withWorld(world: MoneyWorld, work: (ledger: Ledger) => Promise<void>): Promise<void> {
    const config = { accounts: [...world.accounts], policy: world.policy };
    const ledger = await openLedger(data, `send_check_${databases++}`, config);
    try {
      for (const card of world.cards) {
        const file = {
          name: card.name,
          bytes: Buffer.from(fileText(card)),
          effective: card.effective_date,
          by: 'a test',
        };
        const imported = await importRateFile(ledger.database, file);
        if (card.withdrawn)
          for (const { card_id } of imported) await withdrawRateCard(ledger.database, card_id, 'a test');
      }
      await work(ledger);
      await drop(ledger);
    } finally {
      await ledger.close();
    }
  }

  async function messageRows(ledger: Ledger): Promise<Row[]> {
    await settleReports(['messages'], ledger.database);
    let text = '';
    for await (const part of csvReport('messages', ledger.database, EVERYTHING)) text += part;
    return csvRows(text);
  }

  /** Worlds of money cut off somewhere, with whom to write to; the send check keeps nothing from one question to the next. */
  async function withCutWorld(
    seed: number,
    work: (ledger: Ledger, checks: SendChecks, known: readonly LedgerEvent[], cut: number, prng: Prng) => Promise<void>,
  ): Promise<void> {
    const prng = new Prng(seed);
    const world = randomMoney(seed, 1_200, marketOf);
    const times = world.events.map((event) => Number((event as Fields)['timestamp'])).sort((a, b) => a - b);
    const cut = times[prng.int(Math.floor(times.length / 2), times.length - 1)]!;
    const known = parsed(world.events).filter(({ timestamp }) => timestamp <= cut);
    const people = known.filter(({ customer, group_id }) => customer !== '' && group_id === '' && /\d/.test(customer));
    await withWorld(world, async (ledger) => {
      await ledger.record(known);
      await settleReports(['charges'], ledger.database);
      await work(ledger, new SendChecks(ledger.reading, 0), people, cut, prng);
    });
  }

  function requestOf(phone_number_id: string, to: Fields, planned: Planned, name: string): SendRequest {
    const { type, category } = planned;
    const content =
      type === 'template'
        ? { name, category }
        : type === 'reaction'
          ? { message_id: 'wamid.1', emoji: '+' }
          : { body: 'x' };
    const request = parseSendRequest({ phone_number_id, ...to, type, [type]: content });
    if (!request.ok) throw new Error(request.message);
    return request.request;
  }

  const NAMED = PLANNED.filter(({ category }) => category !== 'unknown');

  it.each(isFull ? Array.from({ length: 30 }, (_, i) => i + 1) : [1])(
    'is what the ledger marks and charges when the message has come (%i)',
    async (seed) => {
      await withCutWorld(seed, async (ledger, checks, people, cut, prng) => {
        const expected = new Map<string, Row>();
        for (let i = 0; i < (isFull ? 60 : 8); i++) {
          const at = cut + 1 + i * prng.int(1, 3_600);
          const { phone_number_id, customer: dialled } = prng.pick(people);
          const planned = prng.pick(NAMED);
          const to = /^\d/.test(dialled) ? { to: `+${dialled}` } : { recipient: dialled };
          const result = await checks.check(requestOf(phone_number_id, to, planned, `t${i}`), { at, tz: 'UTC' });
          if (result.kind !== 'allowed') {
            expect(planned.type).not.toBe('template');
            continue;
          }
          const { customer, waba_id } = result.answer;
          const id = `wamid.planned.${i}`;
          const who = { phone_number_id, dialled, recipient: customer, is_group: false };
          await ledger.record(parsed(sentAndDelivered(who, planned, waba_id, at, id)));
          await settleReports(['charges'], ledger.database);
          expected.set(id, expectedRow(result.answer));
        }
        const rows = (await messageRows(ledger)).filter((row) => expected.has(row['message_id'] ?? ''));
        expect(rows).toHaveLength(expected.size);
        for (const row of rows) expect(row).toMatchObject(expected.get(row['message_id'] ?? '')!);
      });
    },
  );

  it.each(isFull ? Array.from({ length: 30 }, (_, i) => i + 101) : [102])(
    'of a list is what the ledger marks and charges when all of it has come (%i)',
    async (seed) => {
      await withCutWorld(seed, async (ledger, checks, people, cut, prng) => {
        const { phone_number_id } = prng.pick(people);
        const own = people.filter((one) => one.phone_number_id === phone_number_id);
        const dialled = [...new Set(own.map(({ customer }) => customer as string))];
        for (const [step, planned] of NAMED.slice(0, isFull ? NAMED.length : 3).entries()) {
          const at = cut + 1 + step;
          const request = requestOf(phone_number_id, { recipients: dialled, lines: true }, planned, `list${step}`);
          const result = await checks.check(request, { at, tz: 'UTC' });
          if (result.kind !== 'many') throw new Error('A list is answered in totals.');
          const { lines = [], outcomes, costs, free, unrated } = result.totals;
          expect(lines.map(({ recipient }) => recipient)).toEqual(dialled);
          const sent = lines.flatMap((line, i) => {
            if (line.outcome === 'NON_TEMPLATE_NOT_ALLOWED') return [];
            const id = `wamid.list.${step}.${String(i).padStart(4, '0')}`;
            return [{ line, id }];
          });
          const events: Fields[] = [];
          for (const { line, id } of sent) {
            const to = { dialled: line.recipient, phone_number_id, is_group: false };
            events.push(...sentAndDelivered({ ...to, recipient: line.customer }, planned, line.waba_id, at, id));
          }
          await ledger.record(parsed(events));
          const rows = new Map((await messageRows(ledger)).map((row) => [row['message_id'], row]));
          let cost = 0;
          for (const { line, id } of sent) {
            const row = rows.get(id)!;
            const mark = line.outcome === 'FREE_ALLOWANCE' ? 'BILLABLE' : line.outcome;
            const isFreeAndUnrated = line.unrated !== '' && line.amount === '0';
            expect([row['predicted'], row['billed_cost'], row['unrated']]).toEqual([
              mark,
              isFreeAndUnrated ? '' : (line.amount ?? ''),
              line.unrated,
            ]);
            cost += Number(line.amount ?? 0);
          }
          expect(Object.values(outcomes).reduce((a, b) => a + b, 0)).toBe(dialled.length);
          expect(costs.reduce((sum, { amount }) => sum + Number(amount), 0)).toBeCloseTo(cost, 6);
          expect(costs.reduce((sum, { messages }) => sum + messages, 0)).toBe(
            sent.length - unrated.reduce((sum, { messages }) => sum + messages, 0),
          );
          expect(free).toBe(sent.filter(({ line }) => line.amount !== null && Number(line.amount) === 0).length);
        }
      });
    },
  );
});

/** The row of report `messages` that an answer foretells. What a free entry message costs on the list may change with the month. */
function expectedRow(answer: SendAnswer): Row {
  const { price } = answer;
  return {
    customer: answer.customer,
    waba_id: answer.waba_id,
    policy: answer.policy,
    predicted: answer.mark,
    billing: answer.mark,
    category: answer.category,
    market: price.market,
    rated_category: price.category,
    // A free message whose list cost nobody knows has no amounts in the ledger.
    billed_cost: price.list_cost === null ? '' : (price.amount ?? ''),
    unrated: price.unrated,
    ...(answer.mark === 'FREE_ENTRY' ? {} : { list_cost: price.list_cost ?? '', rate_card: price.rate_card }),
  };
}
