import { randomUUID } from 'node:crypto';
import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Door } from '../kafka/door.ts';
import {
  csvRows,
  DataDirectory,
  deliver,
  deliveredStatus,
  echoes,
  envelope,
  inbound,
  NUMBER,
  output,
  SECRETS,
  signatureOf,
  startProduct,
  statuses,
  until,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;
const OTHER_NUMBER = '106540352242923';

/** Ids that no other test of this file uses. */
function newIds(n: number): string[] {
  const run = randomUUID();
  return Array.from({ length: n }, (_, i) => `wamid.${run}.${i}`);
}

/** The rows of report `messages`, read by another process, of the given ids alone. */
async function messagesOf(data: DataDirectory, ids: readonly string[]): Promise<Record<string, string>[]> {
  const wanted = new Set(ids);
  return csvRows(await output(data, ['export', 'messages'])).filter((row) => wanted.has(row['message_id']!));
}

/** Which of the ids are in the ledger, once for each row that they have there: asked of the engine, which is quick. */
async function storedIds(data: DataDirectory, ids: readonly string[]): Promise<string[]> {
  const list = ids.map((id) => `'${id}'`).join();
  const rows = await data.query(
    `SELECT id FROM events FINAL WHERE id IN (${list}) ORDER BY id FORMAT JSONCompactEachRow`,
  );
  return rows.map(([id]) => String(id)).sort();
}

const statusBody = (id: string): string => envelope(statuses([deliveredStatus(id, AT)]));

/** Sends until it is taken: what Meta does with everything but a 200. */
async function deliverUntilTaken(product: Product, body: string): Promise<void> {
  await until('the delivery is taken', async () => {
    const status = await deliver(product, body);
    expect([200, 503]).toContain(status);
    return status === 200;
  });
}

describe('a running receiver', () => {
  const data = new DataDirectory();
  let product: Product;
  beforeAll(async () => {
    product = await startProduct(data, { command: 'webhook' });
  });
  afterAll(async () => {
    try {
      expect(await product.stop()).toBe(0);
    } finally {
      await data.remove();
    }
  });

  const handshake = (query: Record<string, string>): Promise<Response> =>
    fetch(`${product.url}/webhook?${new URLSearchParams(query)}`);

  describe('the handshake', () => {
    const right = {
      'hub.mode': 'subscribe',
      'hub.challenge': '1158201444',
      'hub.verify_token': SECRETS.META_VERIFY_TOKEN,
    };

    it('answers the challenge and nothing else', async () => {
      const response = await handshake(right);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('1158201444');
      expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    });

    it('refuses a wrong token, and does not say the challenge', async () => {
      for (const token of ['wrong', '', `${SECRETS.META_VERIFY_TOKEN} `, SECRETS.META_VERIFY_TOKEN.toUpperCase()]) {
        const response = await handshake({ ...right, 'hub.verify_token': token });
        expect(response.status).toBe(403);
        expect(await response.text()).not.toContain('1158201444');
      }
      const { 'hub.verify_token': _, ...without } = right;
      expect((await handshake(without)).status).toBe(403);
    });

    it('refuses another mode and requests that are no handshake', async () => {
      const { 'hub.challenge': _, ...without } = right;
      for (const query of [{ ...right, 'hub.mode': 'unsubscribe' }, without, {}])
        expect((await handshake(query)).status).toBe(400);
    });

    it('says which methods there are', async () => {
      const response = await fetch(`${product.url}/webhook`, { method: 'PUT', body: '{}' });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, POST');
    });
  });

  it('stores acknowledged events, so that the next process sees them', async () => {
    const [entry, echo, sent] = newIds(3) as [string, string, string];
    const text = { body: 'Olá! Preço da ação — 你好 👋🏽 \u0000 “quoted”' };
    const referral = { source_type: 'ad', source_id: '=120226', headline: 'Fale já 🛍️', ctwa_clid: 'Aff-n8' };
    const body = envelope(
      inbound([{ from: '16505551234', id: entry, timestamp: String(AT), type: 'text', text, referral }]),
      echoes([{ from: '15550783881', to: '16505551234', id: echo, timestamp: String(AT + 60), type: 'text', text }]),
      statuses([deliveredStatus(echo, AT + 61), deliveredStatus(sent, AT + 90)]),
    );
    expect(await deliver(product, body)).toBe(200);

    const rows = await messagesOf(data, [entry, echo, sent]);
    expect(rows.map((row) => [row['message_id'], row['type'], row['customer']])).toEqual([
      [echo, 'text', '16505551234'],
      // Known from a status alone.
      [sent, '', '16505551234'],
    ]);
    // An echo is delivered when it is sent; the status does not move that.
    const second = (at: number): string => `${new Date(at * 1000).toISOString().slice(0, 19)}+00:00`;
    expect(rows.map((row) => row['delivered_at'])).toEqual([second(AT + 60), second(AT + 90)]);
    // The echo answers the ad, and the message after it opens the window (rules.md F6, W4).
    expect(rows.map((row) => row['conversation_id'])).toEqual(['', entry]);
    const conversations = csvRows(await output(data, ['export', 'conversations']));
    expect(conversations.find((row) => row['conversation_id'] === entry)).toMatchObject({
      // A number of the ad that a spreadsheet would run.
      ad_id: "'=120226",
      ctwa_clid: 'Aff-n8',
      reply_message_id: echo,
    });
  });

  it('checks the signature over the raw bytes, however they are written', async () => {
    const ids = newIds(3) as [string, string, string];
    const escaped = statusBody(ids[0]).replace('"whatsapp"', '"what\\u0073app"').replaceAll(',', ' ,\r\n\t');
    const accented = `${statusBody(ids[1]).slice(0, -1)},"note":"Ação ñ 你好"}`;
    const upperCase = statusBody(ids[2]);
    expect(await deliver(product, escaped)).toBe(200);
    expect(await deliver(product, Buffer.from(accented, 'utf8'))).toBe(200);
    expect(
      await deliver(
        product,
        upperCase,
        signatureOf(upperCase).replace(/(?<==.*)[a-f]/g, (digit) => digit.toUpperCase()),
      ),
    ).toBe(200);
    expect(await storedIds(data, ids)).toEqual([...ids].sort());
  });

  it('answers 401 to every other signature and stores nothing', async () => {
    const [id] = newIds(1) as [string];
    const body = statusBody(id);
    const right = signatureOf(body);
    const wrong = [
      null,
      '',
      'sha256=',
      right.slice('sha256='.length),
      right.replace('sha256', 'sha1'),
      right.slice(0, -2),
      `${right}00`,
      signatureOf(body, 'another secret'),
      signatureOf(`${body} `),
      // Of the same JSON, written otherwise.
      signatureOf(JSON.stringify(JSON.parse(body), null, 1)),
    ];
    for (const signature of wrong)
      expect([signature, await deliver(product, body, signature)]).toEqual([signature, 401]);
    expect(await storedIds(data, [id])).toEqual([]);
    const letters = await output(data, ['dead-letter', 'list']);
    expect(letters).not.toContain(id);
  });

  it('takes a body of exactly 3 MB and not a byte more', async () => {
    const [fits, not] = newIds(2) as [string, string];
    const padded = (id: string, bytes: number): string => {
      const bare = statusBody(id);
      return `${bare.slice(0, -1)},"pad":"${'x'.repeat(bytes - bare.length - ',"pad":""'.length)}"}`;
    };
    const largest = padded(fits, MAX_VALUE_BYTES);
    expect(largest).toHaveLength(3 * 1024 * 1024);
    expect(await deliver(product, largest)).toBe(200);
    expect(await deliver(product, padded(not, MAX_VALUE_BYTES + 1))).toBe(413);
    // Much larger: the answer is still heard, the connection not just cut.
    expect(await deliver(product, padded(not, 8 * MAX_VALUE_BYTES))).toBe(413);
    expect(await storedIds(data, [fits, not])).toEqual([fits]);
  });

  it('keeps a signed body that is no JSON as a dead letter, every byte', async () => {
    const raw = Buffer.concat([Buffer.from(`not JSON ${randomUUID()}\r\n\t"`), Buffer.from([0, 0xff, 0xc3, 0x28])]);
    const text = Buffer.from(`{"object": ${randomUUID()}`);
    for (const body of [raw, text, raw]) expect(await deliver(product, body)).toBe(200);
    const letters = (await data.query(
      "SELECT base64Encode(raw), code FROM dead_letters FINAL WHERE source = 'webhook' FORMAT JSONCompactEachRow",
    )) as [string, string][];
    const kept = letters.filter(([base64]) => base64 === raw.toString('base64') || base64 === text.toString('base64'));
    // The one that came twice is one letter.
    expect(kept.map(([, code]) => code).sort()).toEqual(['invalid_utf8', 'not_json']);
    const listed = (await output(data, ['dead-letter', 'list'])).trim().split('\n');
    expect(listed.map((line) => (JSON.parse(line) as { bytes: number }).bytes)).toEqual(
      expect.arrayContaining([raw.length, text.length]),
    );
  });

  it('keeps the good events of an envelope that holds bad ones', async () => {
    const [good, bad] = newIds(2) as [string, string];
    const body = envelope(
      statuses([deliveredStatus(good, AT), { ...deliveredStatus(bad, AT), timestamp: 'yesterday' }, 'no object']),
    );
    expect(await deliver(product, body)).toBe(200);
    expect(await storedIds(data, [good, bad])).toEqual([good]);
    const letters = await data.query(
      `SELECT message FROM dead_letters FINAL WHERE position(raw, '${bad}') > 0 FORMAT JSONCompactEachRow`,
    );
    expect(letters).toHaveLength(1);
    expect(String(letters[0]![0])).toContain('timestamp');
  });

  it('stores a delivery once, however often and however fast it comes', async () => {
    const [id] = newIds(1) as [string];
    const body = statusBody(id);
    expect(await deliver(product, body)).toBe(200);
    expect(await Promise.all([deliver(product, body), deliver(product, body)])).toEqual([200, 200]);
    expect(await storedIds(data, [id])).toEqual([id]);
    expect(await messagesOf(data, [id])).toHaveLength(1);
  });

  it('takes an envelope of several entries, numbers and fields apart', async () => {
    const ids = newIds(4) as [string, string, string, string];
    const status = (id: string) => [deliveredStatus(id, AT)];
    const [first, second] = [statuses(status(ids[0])), statuses(status(ids[1]), OTHER_NUMBER)];
    const echo = echoes([{ from: '15550783881', to: '16505551235', id: ids[2], timestamp: String(AT), type: 'image' }]);
    // The field of calls has statuses too; they are of calls.
    const call = { ...statuses(status(ids[3])), field: 'calls' };
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        { id: '1', changes: [first, call] },
        { id: '2', changes: [] },
        { id: '3', changes: [second, echo] },
      ],
    });
    expect(await deliver(product, body)).toBe(200);
    const rows = await messagesOf(data, ids);
    expect(rows.map((row) => [row['message_id'], row['phone_number_id']]).sort()).toEqual(
      [
        [ids[0], NUMBER],
        [ids[1], OTHER_NUMBER],
        [ids[2], NUMBER],
      ].sort(),
    );
  });

  it('takes 1,000 updates in one envelope', async () => {
    const ids = newIds(1_000);
    expect(await deliver(product, envelope(statuses(ids.map((id, i) => deliveredStatus(id, AT + i)))))).toBe(200);
    expect(await storedIds(data, ids)).toEqual(ids.toSorted());
  });

  it('acknowledges and stores 50 deliveries at once', async () => {
    const ids = newIds(50);
    const answers = await Promise.all(ids.map((id) => deliver(product, statusBody(id))));
    expect(answers).toEqual(ids.map(() => 200));
    expect(await storedIds(data, ids)).toEqual(ids.toSorted());
  });

  it('refuses every delivery while it has no secrets', async () => {
    const open = await startProduct(data, { command: 'webhook', env: {} });
    const [id] = newIds(1) as [string];
    expect(await deliver(open, statusBody(id), signatureOf(statusBody(id), ''))).toBe(503);
    expect(await deliver(open, statusBody(id), null)).toBe(503);
    const query = 'hub.mode=subscribe&hub.challenge=1&hub.verify_token=';
    expect((await fetch(`${open.url}/webhook?${query}`)).status).toBe(503);
    // Nor does it have pages or reports.
    for (const path of ['/', '/api/ads']) expect((await fetch(`${open.url}${path}`)).status).toBe(404);
    expect(await storedIds(data, [id])).toEqual([]);
    expect(await open.stop()).toBe(0);
  });

  it('survives its engine: acknowledged events are there, and later ones are taken', async () => {
    const [before, ...later] = newIds(61) as [string, ...string[]];
    expect(await deliver(product, statusBody(before))).toBe(200);
    await data.killEngine();
    // Between deliveries: the next one waits for a new engine, or is refused and sent again.
    await deliverUntilTaken(product, statusBody(later[0]!));

    // During deliveries.
    const acknowledged = [before, later[0]!];
    const waiting = later.slice(1);
    const send = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        await deliverUntilTaken(product, statusBody(id));
        acknowledged.push(id);
      }
    };
    const senders = Array.from({ length: 6 }, send);
    await until('some were taken', () => acknowledged.length >= 12);
    await data.killEngine();
    const atKill = acknowledged.length;
    await Promise.all(senders);
    // Else the engine died after the last delivery, and nothing was tried.
    expect(atKill).toBeLessThan(later.length + 1);
    const rows = await messagesOf(data, acknowledged);
    expect(rows.map((row) => row['message_id']).sort()).toEqual([before, ...later].sort());
  });
});

it.each([
  ['before its marks', 'INSERT INTO message_marks'],
  ['before it looks whether others landed', 'landing_log'],
  ['before they are noted as done', 'INSERT INTO folded_threads'],
])('what is acknowledged has its marks although its receiver is killed %s', async (_, statement) => {
  const data = new DataDirectory();
  const first = await startProduct(data, { command: 'webhook' });
  const door = new Door(data.path);
  try {
    await door.open();
    const product = await startProduct(data, { command: 'webhook', env: { ...SECRETS, ...door.env } });
    const [entry, sent] = newIds(2) as [string, string];
    const gate = door.hold(statement);
    const message = { from: '16505551234', id: entry, timestamp: String(AT), type: 'text' };
    const referral = { source_type: 'ad', source_id: '120226' };
    const body = envelope(inbound([{ ...message, referral }]), statuses([deliveredStatus(sent, AT + 60)]));
    expect(await deliver(product, body)).toBe(200);
    await gate.reached;
    await product.kill();
    expect(await first.stop()).toBe(0);

    const next = await startProduct(data, { command: 'webhook' });
    expect((await messagesOf(data, [sent])).map((row) => row['customer'])).toEqual(['16505551234']);
    expect(csvRows(await output(data, ['export', 'conversations'])).map((row) => row['conversation_id'])).toEqual([
      entry,
    ]);
    // What was held is done late, and changes nothing.
    gate.open();
    const owed = 'SELECT count() FROM owed_landings FINAL WHERE is_folded = 0 FORMAT JSONCompactEachRow';
    expect(await data.query(owed)).toEqual([['0']]);
    expect(await next.stop()).toBe(0);
  } finally {
    await door.shut();
    await data.remove();
  }
});

it('everything acknowledged survives when all processes die at once', async () => {
  const data = new DataDirectory();
  try {
    const product = await startProduct(data, { args: ['--empty'] });
    const ids = newIds(400);
    const waiting = [...ids];
    const acknowledged: string[] = [];
    const send = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        // A connection that breaks is no acknowledgement.
        const status = await deliver(product, statusBody(id)).catch(() => null);
        if (status === null) return;
        expect(status).toBe(200);
        acknowledged.push(id);
      }
    };
    const senders = Array.from({ length: 8 }, send);
    await until('deliveries flow', () => acknowledged.length >= 40);
    await Promise.all([product.kill(), data.killEngine()]);
    await Promise.all(senders);
    // Else it died after the last delivery, and nothing was tried.
    expect(acknowledged.length).toBeLessThan(ids.length);

    const again = await startProduct(data);
    const rows = await messagesOf(data, acknowledged);
    expect(rows.map((row) => row['message_id']).sort()).toEqual(acknowledged.toSorted());
    // What was not acknowledged is sent again, and lands once with what was.
    for (const status of await Promise.all(ids.map((id) => deliver(again, statusBody(id))))) expect(status).toBe(200);
    expect(await storedIds(data, ids)).toEqual(ids.toSorted());
    expect(await again.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});
