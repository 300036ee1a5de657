import { afterEach, describe, expect, it } from 'vitest';

import { amount, exact, money } from '../../dashboard/src/lib/format/amounts.ts';
import { DEFAULT_LOCALE, readLocaleFrom } from '../../dashboard/src/lib/format/locale.ts';
import { count, rate } from '../../dashboard/src/lib/format/numbers.ts';
import { localeOf } from '../../dashboard/src/lib/server/locale.ts';

describe('the locale of a reader', () => {
  const cases: readonly [string | null, string][] = [
    [null, 'en'],
    ['', 'en'],
    ['de-DE', 'de-DE'],
    ['pt-BR,pt;q=0.9,en;q=0.8', 'pt-BR'],
    ['en;q=0.4, fr-CH;q=0.9 , de;q=0.5', 'fr-CH'],
    // Of the same weight, the first.
    ['es;q=0.5,it;q=0.5', 'es'],
    ['PT-br', 'pt-BR'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['de;q=0,en;q=0.1', 'en'],
    ['de;q=0', 'en'],
    ['*', 'en'],
    ['*,fr;q=0.1', 'fr'],
    // Languages that no runtime has, things that are no languages, and weights that are none.
    ['tlh,qaa;q=0.9,nl;q=0.1', 'nl'],
    ['<script>,de;q=2,x,it;q=0.2', 'it'],
    ['de;q=abc', 'en'],
    // What asks for other digits is left off.
    ['ar-EG-u-nu-arab', 'ar-EG'],
    ['de-DE-u-nu-thai,en', 'de-DE'],
    // What is beyond a length that browsers send is not read.
    [`${'x,'.repeat(200)}de`, 'en'],
    [`fr;q=0.5,${'x,'.repeat(20_000)}`, 'fr'],
  ];
  it.each(cases)('%s: %s', (header, locale) => {
    expect(localeOf(header)).toBe(locale);
  });
});

describe('numbers', () => {
  afterEach(() => {
    readLocaleFrom(() => DEFAULT_LOCALE);
  });
  const written = (): string[] => [
    count(1_234_567),
    rate('0.1235'),
    amount('1234.565', 'BRL'),
    money('1234.565', 'JPY'),
    exact('123456789012345678.12345678'),
  ];
  // Spaces between groups and before the sign are those that do not break.
  const cases: readonly [string, string[]][] = [
    ['en', ['1,234,567', '12.4%', '1,234.57', 'JPY 1,235', '123,456,789,012,345,678.12345678']],
    ['de-DE', ['1.234.567', '12,4\u00a0%', '1.234,57', 'JPY 1.235', '123.456.789.012.345.678,12345678']],
    ['pt-BR', ['1.234.567', '12,4%', '1.234,57', 'JPY 1.235', '123.456.789.012.345.678,12345678']],
    ['en-IN', ['12,34,567', '12.4%', '1,234.57', 'JPY 1,235', '1,23,45,67,89,01,23,45,678.12345678']],
  ];
  it.each(cases)('in %s', (locale, expected) => {
    readLocaleFrom(() => locale);
    expect(written()).toEqual(expected);
  });

  it('have Latin digits everywhere', () => {
    for (const locale of ['ar-EG', 'fa', 'bn', 'mr', 'my', 'ne']) {
      readLocaleFrom(() => locale);
      for (const text of written())
        expect([locale, text.replaceAll(/\P{Nd}/gu, '')]).toEqual([locale, text.replaceAll(/\D/g, '')]);
    }
  });

  it('are written for whoever reads at the moment, however many there were', () => {
    let locale = 'en';
    readLocaleFrom(() => locale);
    for (let i = 0; i < 3; i++)
      for (const [one, text] of [
        ['de', '1.000'],
        ['en', '1,000'],
      ] as const) {
        locale = one;
        expect(count(1000)).toBe(text);
        for (let other = 0; other < 50; other++) {
          locale = `en-${String.fromCharCode(65 + (other % 26))}${String.fromCharCode(65 + ((i * 50 + other) % 26))}`;
          count(1000);
        }
      }
  });
});
