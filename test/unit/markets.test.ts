import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import {
  MARKET_CHANGES,
  marketKey,
  marketOf,
  MARKETS,
  MARKETS_HASH,
  OTHER_MARKET,
} from '../../services/rating/markets.ts';

/** A day before all changes, and the day of each and the one before it. */
const DAYS = ['2023-06-01', ...MARKET_CHANGES.flatMap((day) => [dayBefore(day), day]), '2030-01-01'];

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
}

describe('the market of a number', () => {
  it.each([
    ['5511987654321', '2026-11-01', 'Brazil'],
    ['4915112345678', '2026-11-01', 'Germany'],
    ['971501234567', '2026-11-01', 'United Arab Emirates'],
    ['359881234567', '2026-11-01', 'Rest of Central & Eastern Europe'],
    // +1 is North America but for three countries.
    ['16505551234', '2026-11-01', 'North America'],
    ['18091234567', '2026-11-01', 'Rest of Latin America'],
    ['18291234567', '2026-11-01', 'Rest of Latin America'],
    ['18491234567', '2026-11-01', 'Rest of Latin America'],
    ['16581234567', '2026-11-01', 'Rest of Latin America'],
    ['18761234567', '2026-11-01', 'Rest of Latin America'],
    ['17871234567', '2026-11-01', 'Rest of Latin America'],
    ['19391234567', '2026-11-01', 'Rest of Latin America'],
    ['12421234567', '2026-11-01', 'North America'],
    // +7 is Russia, and Kazakhstan's from a day on.
    ['79161234567', '2026-11-01', 'Russia'],
    ['77011234567', '2026-09-30', 'Russia'],
    ['77011234567', '2026-10-01', 'Kazakhstan'],
    ['76001234567', '2026-10-01', 'Kazakhstan'],
    ['263771234567', '2025-09-30', 'Other'],
    ['263771234567', '2025-10-01', 'Rest of Africa'],
    ['85291234567', '2026-06-30', 'Rest of Asia Pacific'],
    ['85291234567', '2026-07-01', 'Hong Kong'],
    ['48501234567', '2026-06-30', 'Rest of Central & Eastern Europe'],
    ['48501234567', '2026-07-01', 'Poland'],
    ['97433123456', '2026-06-30', 'Rest of Middle East'],
    ['97433123456', '2026-07-01', 'Qatar'],
    ['8801712345678', '2026-09-30', 'Rest of Asia Pacific'],
    ['8801712345678', '2026-10-01', 'Bangladesh'],
    ['212612345678', '2026-09-30', 'Rest of Africa'],
    ['212612345678', '2026-10-01', 'Morocco'],
    ['380501234567', '2026-09-30', 'Rest of Central & Eastern Europe'],
    ['380501234567', '2026-10-01', 'Ukraine'],
    // Not listed.
    ['821012345678', '2026-11-01', 'Other'],
    ['5351234567', '2026-11-01', 'Other'],
    ['', '2026-11-01', 'Other'],
    ['5', '2026-11-01', 'Other'],
    ['+5511987654321', '2026-11-01', 'Other'],
    ['55119876x', '2026-11-01', 'Other'],
  ])('%s on %s is %s', (customer, day, market) => {
    expect(marketOf(customer, day)).toBe(market);
  });
});

describe('the market of a business-scoped user id', () => {
  it.each([
    ['US.13491208655302741918', '2026-11-01', 'North America'],
    ['US.ENT.11815799212886844830', '2026-11-01', 'North America'],
    ['IN.1', '2026-11-01', 'India'],
    ['DO.1', '2026-11-01', 'Rest of Latin America'],
    ['KZ.1', '2026-09-30', 'Russia'],
    ['KZ.1', '2026-10-01', 'Kazakhstan'],
    ['VA.1', '2026-11-01', 'Italy'],
    ['KR.1', '2026-11-01', 'Other'],
    ['ZZ.1', '2026-11-01', 'Other'],
    ['us.1', '2026-11-01', 'Other'],
    ['US', '2026-11-01', 'Other'],
    ['USA.1', '2026-11-01', 'Other'],
  ])('%s on %s is %s', (customer, day, market) => {
    expect(marketOf(customer, day)).toBe(market);
  });
});

/** Countries whose calling code Meta's table does not list: their market is Other on every day. */
const KNOWINGLY_OTHER =
  'AC AD AW BA BL BN BQ BT BZ CD CF CK CU CV CW CY DJ EE FJ FK FM FO GF GI GL GN GP GQ GY IO IR IS KG KI KM KP KR LI LU MC ME MF MH MM MO MQ MT MU MV NC NF NR NU PF PM PS PW RE SB SC SH SM SR ST SY TA TK TL TO TV VU WF WS XK YT';

describe('the table of markets', () => {
  it('lists every country that has a calling code, or leaves it out knowingly', () => {
    const unlisted = getCountries().filter((country) =>
      DAYS.every((day) => marketOf(`${country}.1`, day) === OTHER_MARKET),
    );
    expect(unlisted.sort().join(' ')).toBe(KNOWINGLY_OTHER);
  });

  it('gives a country the market of its calling code, whichever of the two is known', () => {
    for (const country of getCountries()) {
      const code = getCountryCallingCode(country);
      // Countries that share a code are told apart by what follows it.
      const leading = { DO: '809', JM: '876', PR: '787', KZ: '7' }[country as string] ?? '';
      const number = `${code}${leading}`.padEnd(12, country === 'RU' ? '9' : '2');
      for (const day of DAYS)
        expect(`${country} ${day} ${marketOf(`${country}.1`, day)}`).toBe(`${country} ${day} ${marketOf(number, day)}`);
    }
  });

  it('changes on the days on which Meta changed it, and has the markets of the cards of the last one', () => {
    expect(MARKET_CHANGES).toEqual(['2025-10-01', '2026-07-01', '2026-10-01']);
    expect(MARKETS.size).toBe(47);
    expect(MARKETS_HASH).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is compared without letter case and white space', () => {
    expect(marketKey(' Rest of\n Central  & Eastern\u00a0EUROPE')).toBe('rest of central and eastern europe');
    expect(marketKey('Rest of Central and Eastern Europe')).toBe(marketKey('Rest of Central & Eastern Europe'));
    expect(new Set([...MARKETS].map(marketKey)).size).toBe(MARKETS.size);
  });
});
