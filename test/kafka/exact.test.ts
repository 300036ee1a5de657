import { afterAll, afterEach, expect, it } from 'vitest';
import { Prng } from '../../services/simulate/prng.ts';
import { EVERYTHING, isFull, numberFrom, shuffled, succeed, withLedger, asMarked } from '../support/ledger.ts';
import { describeKafka } from '../support/kafka.ts';
import { DataDirectory, deliveredStatus, echoes, envelope, inbound, NUMBER, statuses } from '../support/product.ts';
import { billingOf, traffic, World } from './consuming.ts';

const REPORTS = ['messages', 'conversations', 'daily', 'ads'] as const;
const AT = 1_785_000_000;

/** Envelopes of Meta's, each with a thread of its own: a click, the answer, what became of it, and who sent it. */
function envelopes(count: number): object[] {
  return Array.from({ length: count }, (_, i) => {
    const at = AT + i * 3_000;
    const wa_id = `1650555${1000 + i}`;
    const referral = { source_type: 'ad', source_id: `ad ${i % 5}`, ctwa_clid: `clid ${i}` };
    const click = { from: wa_id, id: `wamid.E${i}`, timestamp: String(at), type: 'text', referral };
    const answer = { from: '15550783881', to: wa_id, id: `wamid.A${i}`, timestamp: String(at + 60), type: 'text' };
    const delivered = { ...deliveredStatus(`wamid.A${i}`, at + 61), recipient_id: wa_id };
    return JSON.parse(envelope(inbound([click]), echoes([answer]), statuses([delivered]))) as object;
  });
}

describeKafka('events through the topics', {}, (kafka) => {
  const data = new DataDirectory();
  let world: World;
  afterEach(() => world.close());
  afterAll(() => data.remove());

  it('make the rows that a file of the same events makes, and are counted to the last one', async () => {
    world = await World.create(kafka, data);
    const prng = new Prng(4);
    const once = [...traffic(31, isFull ? 60_000 : 4_000), ...envelopes(150)];
    const values = shuffled([...once, ...once.filter(() => prng.chance(0.15))], prng);
    const unusable = ['not json', '{"event":"message"}', '[]', ''];
    // Half of it is there before the consumer, half comes while it reads.
    const half = Math.floor(values.length / 2);
    await world.produce([...values.slice(0, half), ...unusable]);
    const consumer = world.consume();
    await consumer.untilReady();
    await world.produce(values.slice(half), { batch: 50 });
    await world.untilCaughtUp();
    for (const topic of [world.names.messages, world.names.statuses])
      for (const end of await kafka.endOffsets(topic)) expect(end).toBeGreaterThan(0);

    const stored = await withLedger(data, world.database, (ledger) =>
      numberFrom(ledger.database, 'SELECT count() AS n FROM events FINAL'),
    );
    const read = values.length + values.filter((value) => 'entry' in value).length * 2 + unusable.length;
    expect(await consumer.counts()).toEqual({
      read,
      stored,
      duplicate: read - stored - unusable.length,
      rejected: unusable.length,
    });
    const fromFile = await world.expectAsFromFile(values);
    await world.expectBillingComplete();
    for (const { key, id } of (await world.lastBilling()).values()) expect(key.split(':')[0]).toBe(id.split('/')[0]);
    await consumer.stop();
    expect(await world.behind()).toEqual([]);

    // By the command that people use, too.
    const asOf = new Date(EVERYTHING.as_of * 1000).toISOString();
    const exports = REPORTS.map(async (report) => {
      const args = ['export', report, '--as-of', asOf];
      const { stdout } = await succeed(data, args, { env: { CLICKHOUSE_DATABASE: world.database } });
      const shown = report === 'messages' || report === 'conversations' ? asMarked(report, stdout) : stdout;
      expect(shown === fromFile[report], `${report} is the same`).toBe(true);
      expect(stdout.split('\n').length).toBeGreaterThan(10);
    });
    await Promise.all(exports);

    // A second run has nothing to do.
    const rows = await world.reports();
    const emitted = await kafka.endOffsets(world.names.billing);
    const second = world.consume();
    await second.untilReady();
    await second.stop();
    expect(await kafka.endOffsets(world.names.billing)).toEqual(emitted);
    expect(await world.reports()).toEqual(rows);

    // And one that reads everything again finds everything there.
    const again = world.consume({ args: ['--from-beginning'] });
    await again.untilReady();
    await world.untilCaughtUp();
    expect(await again.counts()).toEqual({
      read,
      stored: 0,
      duplicate: read - unusable.length,
      rejected: unusable.length,
    });
    await again.stop();
    expect(await world.reports()).toEqual(rows);
    await world.expectBillingComplete();
    const listed = await succeed(data, ['dead-letter', 'list'], { env: { CLICKHOUSE_DATABASE: world.database } });
    expect(listed.stdout.trim().split('\n')).toHaveLength(unusable.length);
  });

  it('tell of a message again, with a higher version, when something changes what it costs', async () => {
    world = await World.create(kafka, data, 3);
    const consumer = world.consume();
    const message = {
      event: 'message',
      direction: 'outbound',
      phone_number_id: NUMBER,
      wa_id: '16505551234',
      id: 'wamid.T1',
      timestamp: String(AT),
      type: 'template',
      template: { name: 'offer', language: 'en', category: 'MARKETING' },
    };
    const click = {
      event: 'message',
      direction: 'inbound',
      phone_number_id: NUMBER,
      wa_id: '16505551234',
      id: 'wamid.C1',
      timestamp: String(AT - 600),
      type: 'text',
      referral: { source_type: 'ad', source_id: '77' },
    };
    const delivered = {
      event: 'status',
      phone_number_id: NUMBER,
      wa_id: '16505551234',
      id: 'wamid.T1',
      status: 'delivered',
      timestamp: String(AT + 5),
    };
    const said = async (): Promise<string[]> => {
      await world.untilCaughtUp();
      await world.expectBillingComplete();
      const records = (await kafka.readAll(world.names.billing)).map(billingOf);
      expect(new Set(records.map(({ key }) => key))).toEqual(new Set([`${NUMBER}:16505551234`]));
      const versions = records.map(({ version }) => BigInt(version));
      for (const [i, version] of versions.entries()) if (i > 0) expect(version).toBeGreaterThan(versions[i - 1]!);
      return records.map(({ billing, expires_at }) => `${String(billing)} ${String(expires_at)}`);
    };
    await world.produce([message]);
    await consumer.untilReady();
    const first = await said();
    expect(first).toHaveLength(1);
    await world.produce([delivered]);
    expect(await said()).toHaveLength(2);
    // The click was earlier and is late: the template was free all along.
    await world.produce([click]);
    const all = await said();
    expect(all).toHaveLength(3);
    expect(all[2]).toBe(`FREE_ENTRY ${new Date((AT + 5 + 72 * 3_600) * 1000).toISOString().replace('.000Z', 'Z')}`);
    expect(all[1]).not.toContain('FREE_ENTRY');
    // Nothing new: nothing is said.
    await world.produce([click, message, delivered]);
    expect(await said()).toEqual(all);
    await consumer.stop();
  });
});
