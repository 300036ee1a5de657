import { describe, expect, it } from 'vitest';
import { shown, visibleText } from '../../dashboard/src/lib/server/control-characters.ts';

const CONTROLS = Array.from({ length: 33 }, (_, i) => String.fromCharCode(i < 32 ? i : 0x7f));

describe('control characters', () => {
  it('are shown as their pictures, white space as it is', () => {
    expect(visibleText('a\u0000b\u0007\u001b\u007f')).toBe('a␀b␇␛␡');
    expect(visibleText('line\r\n\ttab\f')).toBe('line\r\n\ttab\f');
    expect(visibleText('Olá 你好 👋🏽 \u0085')).toBe('Olá 你好 👋🏽 \u0085');
  });

  it('come back to the ledger as they were stored, in every depth', async () => {
    const asked: unknown[] = [];
    const queries = shown({
      find(...given: unknown[]) {
        asked.push(given);
        return Promise.resolve({
          rows: [{ id: `wamid.${CONTROLS.join('')}`, n: 1, none: null, list: ['\u0000', true] }],
        });
      },
    });
    const answer = await queries.find('a');
    expect(answer.rows[0]).toMatchObject({ n: 1, none: null, list: ['␀', true] });
    expect(JSON.stringify(answer)).not.toMatch(/\\u0000|\\u001f|\u007f/);
    await queries.find(answer.rows[0]!.id, { only: { id: answer.rows[0]!.id } });
    const stored = `wamid.${CONTROLS.join('')}`;
    expect(asked[1]).toEqual([stored, { only: { id: stored } }]);
  });
});
