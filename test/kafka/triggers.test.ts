import type { SavedTrigger } from '@ctwa-ledger/schemas/triggers.ts';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { describeKafka } from '../support/kafka.ts';
import { DataDirectory, NUMBER, output, until } from '../support/product.ts';
import { expectedSignature, Receiver } from '../support/receiver.ts';
import { World, type ConsumerProcess } from './consuming.ts';

const SECRET = 'the secret of triggers';
const AD = '120226305854810726';
const env = { CTWA_TRIGGER_SECRET: SECRET };

function clicked(id: string, ad = AD): object {
  return {
    event: 'message',
    direction: 'inbound',
    phone_number_id: NUMBER,
    wa_id: `1650${id.replaceAll(/\D/g, '').padStart(7, '0')}`,
    id,
    timestamp: Math.floor(Date.now() / 1000),
    type: 'text',
    referral: { source_type: 'ad', source_id: ad, source_url: 'https://fb.me/3cr4' },
  };
}

describeKafka('triggers behind a broker', {}, (kafka) => {
  const data = new DataDirectory();
  let world: World;
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await Receiver.start();
  });
  afterEach(async () => {
    await world.close();
    await receiver.close();
  });
  afterAll(() => data.remove());

  async function keysInTopic(): Promise<string[]> {
    const records = await kafka.readAll(world.names.adTrigger);
    return records.map(({ headers, value, key }) => {
      const body = JSON.parse(value ?? '') as { idempotency_key: string; customer: { wa_id: string } };
      expect(headers['idempotency_key']).toBe(body.idempotency_key);
      expect(key).toBe(`${NUMBER}:${body.customer.wa_id}`);
      return body.idempotency_key;
    });
  }

  it('fire once per message while members come, are killed and read everything again', async () => {
    world = await World.create(kafka, data, 4);
    const commandEnv = { env: world.env };
    const added = ['triggers', 'add', '--name', 'Spring', '--ad', AD, '--topic', '--webhook', receiver.url];
    const { trigger_id } = JSON.parse(await output(data, added, commandEnv)) as SavedTrigger;
    const members: ConsumerProcess[] = [world.consume({ env })];
    await members[0]?.untilReady();
    const expected: string[] = [];
    let next = 0;
    const produce = async (count: number): Promise<object[]> => {
      const messages: object[] = [];
      for (let i = 0; i < count; i++) {
        const id = `wamid.T${(next += 1)}`;
        expected.push(`${id}:${trigger_id}`);
        messages.push(clicked(id));
      }
      await world.produce([...messages, clicked(`wamid.NONE${next}`, '7'), ...messages], { batch: 5 });
      return messages;
    };
    const first = await produce(20);
    await until('some are told', () => receiver.received.length > 0);
    // The first one holds the lease: what it has marked and not told another one tells.
    members.push(world.consume({ env }));
    await members[1]?.untilReady();
    await produce(20);
    await members[0]?.kill();
    await produce(20);
    await world.untilCaughtUp();
    await until('all are told', () => new Set(receiver.received.map(({ key }) => key)).size >= expected.length);
    // Everything once more, in a group that begins anew, and the same messages from their producer.
    await members[1]?.stop();
    world.consume({ args: ['--from-beginning'], env });
    await world.produce(first);
    await world.untilCaughtUp();
    const before = receiver.received.length;
    await produce(1);
    await until('the last one is told', () => receiver.received.some(({ key }) => key === expected.at(-1)));
    expect(receiver.received.length).toBe(before + 1);
    expect([...new Set(receiver.received.map(({ key }) => key))].sort()).toEqual([...expected].sort());
    // Of one key there is one body, however often it is sent.
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(expected.length);
    for (const request of receiver.received) expect(request.signature).toBe(expectedSignature(SECRET, request));
    await until('the topic has them all', async () => new Set(await keysInTopic()).size >= expected.length);
    expect([...new Set(await keysInTopic())].sort()).toEqual([...expected].sort());
  });
});
