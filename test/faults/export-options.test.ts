import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../services/version.ts';
import { DataDirectory, run, succeed, writeNdjson } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';

const AT = Date.UTC(2026, 9, 5, 12) / 1000;
const AS_OF = ['--as-of', '2026-10-06T12:00:00Z'];

const data = new DataDirectory();

beforeAll(async () => {
  const events = [
    ['1', '11', 'MARKETING'],
    ['1', '12', 'UTILITY'],
    ['2', '21', 'MARKETING'],
  ].flatMap(([waba_id, phone_number_id, category], i) => {
    const message = { waba_id, phone_number_id, wa_id: '16505551234', id: `wamid.${i}`, tag: `campaign ${i}` };
    return [
      {
        event: 'message',
        direction: 'outbound',
        type: 'template',
        template: { name: 'offer', category },
        timestamp: AT,
        ...message,
      },
      { event: 'status', status: 'delivered', timestamp: AT + 1, ...message },
    ];
  });
  await succeed(data, ['ingest', writeNdjson(data, 'events.ndjson', events)]);
});
afterAll(() => data.remove());

const ids = async (...options: string[]): Promise<(string | undefined)[]> =>
  csvRows((await succeed(data, ['export', 'messages', ...options])).stdout).map((row) => row['message_id']);

describe('export', () => {
  it.each([
    [
      ['--waba', '1'],
      ['wamid.0', 'wamid.1'],
    ],
    [['--waba', ''], []],
    [['--number', '21'], ['wamid.2']],
    [
      ['--category', 'marketing'],
      ['wamid.0', 'wamid.2'],
    ],
    [['--tag', 'campaign 1'], ['wamid.1']],
    [['--waba', '1', '--billing', 'BILLABLE', '--category', 'utility'], ['wamid.1']],
    [
      ['--period', 'yesterday', ...AS_OF],
      ['wamid.0', 'wamid.1', 'wamid.2'],
    ],
    [['--period', 'today', ...AS_OF], []],
    [
      ['--changed-since', '2015-01-01', '--waba', '1'],
      ['wamid.0', 'wamid.1'],
    ],
    [['--changed-since', '2099-01-01T00:00:00Z'], []],
  ])('takes %j', async (options, expected) => {
    expect(await ids(...options)).toEqual(expected);
  });

  it.each([
    ['messages', ['--state', 'open'], 'The report messages does not take --state; it takes --from'],
    ['rate-cards', ['--from', '2026-10-01'], 'The report rate-cards does not take --from; it takes no filters.'],
    ['failures', ['--market', 'Brazil'], 'The report failures does not take --market'],
    ['messages', ['--billing', 'FREE'], 'Did you mean FREE_ENTRY?'],
    ['messages', ['--period', 'yestreday'], 'Did you mean yesterday?'],
    ['messages', ['--wabba', '1'], '--waba'],
    ['messages', ['--changed-since', 'lately'], 'changed-since "lately" is not a time'],
    ['charges', ['--changed-since', '2026-10-01'], 'does not take --changed-since'],
    ['mesages', [], 'Did you mean messages?'],
    ['reconciliation', ['--period', 'yesterday'], 'covers one month'],
  ])('refuses %s %j', async (report, options, words) => {
    const refused = await run(data, ['export', report, ...options]);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain(words);
  });
});

it('says its version', async () => {
  const said = await run(data, ['--version']);
  expect(said).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
});

it('lists accounts that are set, and those that messages name', async () => {
  await succeed(data, ['accounts', 'set', '1', '--name', 'Acme']);
  const lines = (await succeed(data, ['accounts', 'list'])).stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { waba_id: '1', name: 'Acme', set_by: 'command', delivered_messages: 2, seen_phone_number_ids: ['11', '12'] },
    { waba_id: '2', set_by: null, delivered_messages: 1, seen_phone_number_ids: ['21'] },
  ]);
});
