import { describe, expect, it } from 'vitest';
import { isErasedName } from '../../schemas/erasures.ts';
import { erasedNames } from '../../services/erasure/person.ts';
import { ErasedNames } from '../../services/ledger/events/erased-names.ts';
import { countryOf } from '../../services/rating/countries.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { wamid } from '../erasure/world.ts';
import { parsed } from '../support/expected-rows.ts';
import { clicks, MON } from '../oracle/golden/builders.ts';

const NUMBER = '16505550001';
const USER = 'BR.1349';
const NAMES = [NUMBER, USER, 'someone@example'];
const names = erasedNames('a secret', NAMES, '');
const [number = '', user = '', other = ''] = names.map(({ token }) => token);
const erased = new ErasedNames('a secret', names);

describe('what stands in the place of an erased name', () => {
  it('is a token that keeps market and country, and is no number', () => {
    expect([number, user, other].map(isErasedName)).toEqual([true, true, true]);
    expect(NAMES.map(isErasedName)).toEqual([false, false, false]);
    for (const [name, token] of [
      [NUMBER, number],
      [USER, user],
    ] as const) {
      expect(marketOf(token, '2026-10-01')).toBe(marketOf(name, '2026-10-01'));
      expect(countryOf(token)).toBe(countryOf(name));
    }
  });

  it('is another one under another secret', () => {
    expect(erasedNames('another secret', [NUMBER], '')[0]).not.toMatchObject({ token: number });
  });

  it.each([
    [NUMBER, number],
    [`+${NUMBER}`, number],
    ['call +1 (650) 555-0001 or 16505550002', `call ${number} or 16505550002`],
    [`{"from":"${NUMBER}","n":16505550001}`, `{"from":"${number}","n":${number}}`],
    [USER, user],
    [`{"user_id":"${USER}"}`, `{"user_id":"${user}"}`],
    ['someone@example', other],
    ['{"wa_id":"someone@example"}', `{"wa_id":"${other}"}`],
    [`user_preferences:${NUMBER}:stop`, `user_preferences:${number}:stop`],
  ])('replaces it in %s', (text, expected) => {
    expect(erased.text(text, null)).toBe(expected);
  });

  it.each([
    '165055500010',
    '416505550001',
    'BR.13490',
    'BR.ENT.1349',
    'someone',
    'say someone@example',
    wamid('165055500010', 1),
    '',
  ])('leaves %s as it is', (text) => {
    expect(erased.text(text, null)).toBe(text);
  });

  it.each([3, 4, 5])('hides the number in an id that begins with %i bytes, and ids keep their order', (before) => {
    const ids = [1, 2, 3].map((n) => wamid(NUMBER, n, before));
    const without = ids.map((id) => erased.text(id, null));
    expect(without).toEqual(without.toSorted());
    for (const [i, id] of without.entries()) {
      expect(id).toHaveLength(ids[i]!.length);
      expect(Buffer.from(id.slice(6), 'base64').toString('latin1')).not.toMatch(/\d{11}/);
    }
    expect(erased.text(JSON.stringify({ id: ids[0] }).replaceAll('/', '\\/'), null)).toBe(
      JSON.stringify({ id: without[0] }).replaceAll('/', '\\/'),
    );
  });

  it('is found in bytes that are no text', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(` ${NUMBER} `), Buffer.from([0x80])]);
    const without = erased.bytes(bytes, null);
    expect(without.includes(NUMBER)).toBe(false);
    expect(without.subarray(0, 3)).toEqual(bytes.subarray(0, 3));
  });

  it('calls the customer of an event by its token, in the thread of its token', () => {
    const [event] = parsed([clicks(wamid(NUMBER, 1), MON, { wa_id: NUMBER, user_id: USER })]);
    expect(erased.event(event!)).toMatchObject({ customer: number, wa_id: number, user_id: user });
    const [stranger] = parsed([clicks('e', MON, { wa_id: '16505550002' })]);
    expect(erased.event(stranger!)).toBe(stranger);
  });

  it('counts at its business number only, where it was erased there', () => {
    const there = new ErasedNames('a secret', erasedNames('a secret', [NUMBER], 'N1'));
    expect(there.text(NUMBER, 'N1')).toBe(number);
    expect(there.text(NUMBER, 'N2')).toBe(NUMBER);
  });
});
