import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { browserRig } from '../support/browser-rig.ts';
import { tableRows } from '../support/browser.ts';
import { output } from '../support/product.ts';

const NUMBER = '106540352242922';
const OCTOBER = 'from=2026-10-01&to=2026-11-01';
const CASES = ['05-groups.ndjson', '01-brazil-ninth-digit.ndjson', '07-ctwa-first-message-unavailable.ndjson'];

describe('pages of what the field brings', () => {
  const rig = browserRig({
    prepare: async (data) => {
      for (const name of CASES)
        await output(data, [
          'ingest',
          fileURLToPath(new URL(`../cases/${name}`, import.meta.url)),
          '--data',
          data.path,
        ]);
      return undefined;
    },
  });

  const open = (path: string): Promise<unknown> =>
    rig.page.goto(`${rig.product.url}${path}`, { waitUntil: 'networkidle' });

  it('lists every participant of a group message, and leads to the one that was clicked', async () => {
    await open(`/billing/messages?${OCTOBER}`);
    const rows = rig.page.getByRole('link', { name: 'wamid.G1' });
    expect(await rows.count()).toBe(3);
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) {
      await rows.nth(i).click();
      await rig.page.getByRole('heading', { name: 'Why this amount' }).waitFor();
      seen.add((await rig.page.locator('.participants [aria-current]').textContent()) ?? '');
      await rig.page.goBack();
      await rows.nth(2).waitFor();
    }
    expect([...seen].sort()).toEqual(['+55 •••• 01', '+55 •••• 02', '+91 •••• 03']);
  });

  it('opens a group message by its id, and shows each participant with its market', async () => {
    await open('/messages?id=wamid.G1');
    expect(new URL(rig.page.url()).pathname).toBe(`/messages/${NUMBER}/wamid.G1`);
    const market = rig.page.locator('dt', { hasText: /^Market$/ }).locator('xpath=following-sibling::dd');
    expect(await market.textContent()).toBe('Brazil');
    await rig.page.getByRole('link', { name: '+91 •••• 03' }).click();
    await expect.poll(() => market.textContent(), { timeout: 30_000 }).toBe('India');
    expect(rig.page.url()).not.toContain('919900000003');
  });

  it('shows the conversation of a group with a row for each participant', async () => {
    await open(`/conversations/${NUMBER}/wamid.G1`);
    const outbound = rig.page.locator('li.outbound');
    expect(await outbound.count()).toBe(3);
    const texts = (await outbound.allTextContents()).join(' ');
    for (const participant of ['+55 •••• 01', '+55 •••• 02', '+91 •••• 03']) expect(texts).toContain(participant);
  });

  it('shows free entry that Meta alone reports, and what the traffic lacks', async () => {
    await open(`/ads?${OCTOBER}`);
    const ads = ((await rig.page.locator('main').textContent()) ?? '').replace(/\s+/g, ' ');
    expect(ads).toContain('Reported by Meta, no ad known');
    expect(ads).toContain('1 first message came without its ad');
    await open('/health');
    const traffic = (await rig.page.locator('section', { hasText: 'What the traffic shows' }).textContent()) ?? '';
    expect(traffic.replace(/\s+/g, ' ')).toContain('2 messages: own event and statuses name different customers');
    await open(`/billing/mismatches?${OCTOBER}`);
    const kinds = await tableRows(rig.page, 'kinds');
    expect(kinds.map((row) => row.at(-1)?.text ?? '').join(' ')).toContain(
      'no message of the customer names an ad or post',
    );
    // The cause is in sight without scrolling sideways.
    const hidden = await rig.page.locator('#kinds .scroll').evaluate((frame) => {
      const { scrollWidth, clientWidth } = frame as unknown as { scrollWidth: number; clientWidth: number };
      return scrollWidth - clientWidth;
    });
    expect(hidden).toBeLessThanOrEqual(0);
  });

  it('says that Meta calls a customer otherwise than the sender', async () => {
    await open(`/messages/${NUMBER}/wamid.OUT1`);
    expect(await rig.page.locator('dl').textContent()).toMatch(
      /Dialled as\s*\+55 •••• 00, which Meta calls \+55 •••• 00/,
    );
    await open(`/messages/${NUMBER}/wamid.K1`);
    expect(await rig.page.locator('dl').textContent()).not.toContain('Dialled as');
  });
});
