import type { ListedTrigger, SavedTrigger, TriggerDelivery, TriggerTest } from '@ctwa-ledger/schemas/triggers.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNdjson } from '../support/ledger.ts';
import {
  DataDirectory,
  deliver,
  envelope,
  inbound,
  NUMBER,
  output,
  SECRETS,
  startProduct,
  until,
  untilCounted,
  type Product,
} from '../support/product.ts';
import { expectedSignature, Receiver } from '../support/receiver.ts';

const SECRET = 'the secret of triggers';
const env = { ...SECRETS, CTWA_TRIGGER_SECRET: SECRET };
const AD = '120226305854810726';

const now = (): number => Math.floor(Date.now() / 1000);

function clicked(id: string, more: Readonly<Record<string, unknown>> = {}, at = now()): object {
  return {
    from: '16505551234',
    id,
    timestamp: String(at),
    type: 'text',
    text: { body: 'not stored' },
    referral: { source_type: 'ad', source_id: AD, source_url: 'https://fb.me/3cr4', ctwa_clid: 'clid', ...more },
  };
}

describe('triggers that tell a webhook', () => {
  const data = new DataDirectory();
  let product: Product;
  let receiver: Receiver;
  let trigger: SavedTrigger;

  beforeAll(async () => {
    receiver = await Receiver.start();
    product = await startProduct(data, { args: ['--empty'], env });
  });
  afterAll(async () => {
    await product.stop();
    await receiver.close();
    await data.remove();
  });

  async function ask<T>(method: string, path: string, body?: unknown): Promise<{ status: number; answer: T }> {
    const response = await fetch(`${product.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, answer: (await response.json()) as T };
  }

  async function deliveries(query = ''): Promise<readonly TriggerDelivery[]> {
    return (await ask<{ rows: TriggerDelivery[] }>('GET', `/api/trigger-deliveries${query}`)).answer.rows;
  }

  /** Delivers messages, the last of which fires: when that has come, so has whatever the others bring. */
  async function deliverBefore(last: string, ...messages: readonly object[]): Promise<void> {
    expect(await deliver(product, envelope(inbound([...messages, clicked(last)])))).toBe(200);
    await until(`${last} is told`, () => receiver.about(last).length > 0);
  }

  it('refuse what cannot be a trigger, and say why', async () => {
    const refused = async (body: unknown): Promise<string> => {
      const { status, answer } = await ask<{ error: { message: string } }>('POST', '/api/triggers', body);
      expect(status).toBe(400);
      return answer.error.message;
    };
    expect(await refused({ name: 'x' })).toContain('tells nobody');
    expect(await refused({ name: 'x', webhook_url: 'http://example.com/' })).toContain('https');
    expect(await refused({ name: 'x', webhook_url: 'https://a:b@example.com/' })).toContain('without user');
    expect(await refused({ name: 'x', to_topic: true, kind: 'unanswered' })).toContain('hours is missing');
    expect(await refused({ name: 'x', to_topic: true, hours: 3 })).toContain('not for arrival');
    expect(await refused({ name: 'x', to_topic: true, filters: { ad: [AD] } })).toContain('filters');
    const foreign = await fetch(`${product.url}/api/triggers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://example.com' },
      body: JSON.stringify({ name: 'x', to_topic: true }),
    });
    expect(foreign.status).toBe(403);
    const form = await fetch(`${product.url}/api/triggers`, { method: 'POST', body: 'name=x' });
    expect(form.status).toBe(415);
    expect((await ask<{ rows: unknown[] }>('GET', '/api/triggers')).answer.rows).toEqual([]);
  });

  it('tell once of a message that passes, signed, and never of one that does not', async () => {
    const made = await ask<SavedTrigger>('POST', '/api/triggers', {
      name: 'Spring',
      filters: { ad_ids: [AD], url: { match: 'host', value: 'fb.me' } },
      webhook_url: receiver.url,
    });
    expect(made.status).toBe(201);
    trigger = made.answer;
    await deliverBefore(
      'wamid.A1',
      clicked('wamid.OTHER_AD', { source_id: '7' }),
      clicked('wamid.OTHER_HOST', { source_url: 'https://notfb.me/3cr4' }),
      clicked('wamid.LATE', {}, now() - 700),
      { from: '16505551234', id: 'wamid.PLAIN', timestamp: String(now()), type: 'text' },
    );
    const [request] = receiver.received;
    if (request === undefined) throw new Error('Nothing has come.');
    expect(request.key).toBe(`wamid.A1:${trigger.trigger_id}`);
    expect(request.signature).toBe(expectedSignature(SECRET, request));
    expect(JSON.parse(request.body)).toMatchObject({
      event: 'ad_trigger',
      idempotency_key: request.key,
      kind: 'arrival',
      trigger: { id: trigger.trigger_id, name: 'Spring' },
      message: { id: 'wamid.A1', phone_number_id: NUMBER },
      customer: { wa_id: '16505551234' },
      ad: { source_type: 'ad', id: AD, url: 'https://fb.me/3cr4', ctwa_clid: 'clid' },
      reply: null,
      customer_service_window: { is_open: true },
      free_entry_window: { is_open: false, reply_opens_one: true },
    });
    expect(receiver.received).toHaveLength(1);
  });

  it('stay silent when messages come again, are folded anew, or come in a file', async () => {
    const message = clicked('wamid.A1');
    await deliver(product, envelope(inbound([message])));
    await output(data, ['rebuild']);
    const file = writeNdjson(data, 'again.ndjson', [JSON.parse(envelope(inbound([message]))) as object]);
    await output(data, ['ingest', file]);
    await deliverBefore('wamid.A2', message);
    expect(receiver.about('wamid.A1')).toHaveLength(1);
  });

  it('tell after a kill between the mark and the answer, with the same key and body, and no more after that', async () => {
    receiver.answering = 'silent';
    await deliverBefore('wamid.A3');
    await product.kill();
    receiver.answering = 200;
    product = await startProduct(data, { env });
    await until('it is told again', () => receiver.about('wamid.A3').length === 2);
    const [first, second] = receiver.about('wamid.A3');
    expect(second?.key).toBe(first?.key);
    expect(second?.body).toBe(first?.body);
    await until('the log has it', async () => (await deliveries('?state=delivered')).length === 3);
    await product.stop();
    product = await startProduct(data, { env });
    await deliverBefore('wamid.A4');
    expect(receiver.about('wamid.A3')).toHaveLength(2);
    expect(new Set(receiver.received.map(({ key }) => key)).size).toBe(4);
  });

  it('tries again when there is no answer, logs it, and delivers again on request', async () => {
    receiver.answering = 503;
    await deliverBefore('wamid.A5');
    const waiting = await until(
      'the failure is in the log',
      // It is listed from its message on; what was answered is noted once the answer is there.
      async () =>
        (await deliveries('?state=waiting')).find((row) => row.message_id === 'wamid.A5' && row.attempts > 0) ?? null,
    );
    expect(waiting).toMatchObject({ channel: 'webhook', trigger_name: 'Spring', detail: 'it answered 503' });
    receiver.answering = 200;
    const delivered = await until('it is delivered', async () => {
      const found = (await deliveries()).find(({ message_id }) => message_id === 'wamid.A5');
      return found?.state === 'delivered' ? found : null;
    });
    expect(delivered.attempts).toBeGreaterThan(1);
    const before = receiver.about('wamid.A5').length;
    const one = { trigger_id: trigger.trigger_id, phone_number_id: NUMBER, message_id: 'wamid.A5' };
    expect((await ask('POST', '/api/trigger-deliveries/replay', one)).status).toBe(202);
    await until('it is told once more', () => receiver.about('wamid.A5').length > before);
    const command = ['triggers', 'replay', '--trigger', trigger.trigger_id, '--message', 'wamid.A5'];
    expect(JSON.parse(await output(data, [...command, '--phone-number-id', NUMBER]))).toEqual({ deliveries: 1 });
    await until('and once more', () => receiver.about('wamid.A5').length > before + 1);
    expect(new Set(receiver.about('wamid.A5').map(({ body }) => body)).size).toBe(1);
  });

  it('say of the past what they would have fired for, and nothing of what came while they were paused', async () => {
    const { trigger_id, ...saved } = trigger;
    const { revision: _, state: _state, changed_at: _at, changed_by: _by, ...definition } = saved;
    await untilCounted(product, 1);
    const tried = await ask<TriggerTest>('POST', '/api/triggers/test', definition);
    // Whatever its age: it says so of messages as they were written.
    expect(tried.answer.fired).toBe(6);
    const command = JSON.parse(await output(data, ['triggers', 'test', trigger_id])) as TriggerTest;
    expect(command.messages.map(({ message_id }) => message_id)).toEqual(
      tried.answer.messages.map(({ message_id }) => message_id),
    );
    expect((await ask<SavedTrigger>('POST', `/api/triggers/${trigger_id}/pause`, {})).answer.state).toBe('paused');
    await deliver(product, envelope(inbound([clicked('wamid.PAUSED')])));
    expect((await ask<SavedTrigger>('POST', `/api/triggers/${trigger_id}/resume`, {})).answer.state).toBe('active');
    await deliverBefore('wamid.A6');
    expect(receiver.about('wamid.PAUSED')).toEqual([]);
    const all = { ...definition, name: 'Whatever its age', max_age_seconds: null };
    const changed = await ask<SavedTrigger>('PUT', `/api/triggers/${trigger_id}`, all);
    expect(changed.answer).toMatchObject({ name: 'Whatever its age', revision: 4, max_age_seconds: null });
    await deliverBefore('wamid.A7', clicked('wamid.OLD', {}, now() - 86_400));
    // Requests are under way side by side: the one of the later message may come first.
    await until('the old one is told', () => receiver.about('wamid.OLD').length > 0);
    expect(receiver.about('wamid.OLD')).toHaveLength(1);
    const [listed] = (await ask<{ rows: ListedTrigger[] }>('GET', '/api/triggers')).answer.rows;
    expect(listed).toMatchObject({ trigger_id, fired: 8, given_up: 0 });
    await ask('DELETE', `/api/triggers/${trigger_id}`);
    expect((await ask<{ rows: unknown[] }>('GET', '/api/triggers')).answer.rows).toEqual([]);
    expect((await ask('POST', `/api/triggers/${trigger_id}/pause`, {})).status).toBe(404);
  });
});
