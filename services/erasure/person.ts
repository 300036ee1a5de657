import { customerNames } from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { keyedHash } from '../ledger/events/erasure-key.ts';
import type { ErasedName } from '../ledger/events/erased-names.ts';
import { countryPrefixOf } from '../rating/countries.ts';
import { marketPrefixOf } from '../rating/markets.ts';

/** More names are no person but a mistake. */
const MAX_NAMES = 60;
/** Digits at the end of a number that stay the same where a sender and Meta write it differently (rules.md F3). */
const SAME_LAST_DIGITS = 8;

/** A name as events give it: of a phone number its digits. */
export function nameAsGiven(text: string): string {
  const { wa_id, user_id } = customerNames(text.trim());
  return wa_id === '' ? user_id : wa_id;
}

const nameRow = z.object({ name: z.string() });

/** Names that stand beside one of these in some event, or that a sender used for one of them. */
function namesBeside(isOfNumber: string): string {
  const among = 'IN (SELECT arrayJoin({names:Array(String)}))';
  return `
SELECT DISTINCT arrayJoin([customer, name]) AS name FROM message_names
WHERE name != '' AND (customer ${among} OR name ${among}) AND ${isOfNumber}
UNION DISTINCT
SELECT arrayJoin([customer, name]) FROM customer_names WHERE (customer ${among} OR name ${among}) AND ${isOfNumber}
UNION DISTINCT
SELECT arrayJoin([customer, recipient, dialled_customer]) FROM message_marks
WHERE dialled_customer != '' AND (customer ${among} OR recipient ${among} OR dialled_customer ${among})
  AND substring(dialled_customer, -${SAME_LAST_DIGITS}) = substring(recipient, -${SAME_LAST_DIGITS})
  AND match(dialled_customer, '^[0-9]{${SAME_LAST_DIGITS},}$') AND match(recipient, '^[0-9]{${SAME_LAST_DIGITS},}$')
  AND participant = '' AND ${isOfNumber}`;
}

/**
 * Every name of the person whom a name belongs to: those that events link (rules.md F9), whatever the policy says of
 * them, and other ways in which a sender wrote the number.
 * @param phone_number_id empty = at every business number
 */
export async function namesOfPerson(database: Database, given: string, phone_number_id: string): Promise<string[]> {
  const isOfNumber = phone_number_id === '' ? '1' : 'phone_number_id = {number:String}';
  const names = new Set([given]);
  for (let known = 0; known < names.size && names.size <= MAX_NAMES;) {
    known = names.size;
    const parameters = { names: [...names], number: phone_number_id };
    for (const { name } of await database.query(nameRow, namesBeside(isOfNumber), parameters)) names.add(name);
    names.delete('');
  }
  return [...names].sort(compareUtf8);
}

/**
 * What stands in the place of a name. It keeps the part by which messages are priced: the calling code of a number, the
 * country of a business-scoped id. So amounts and markets stay as they are.
 */
function tokenOf(secret: string, name: string): string {
  const numberPart = /^\d+$/.test(name) ? longer(marketPrefixOf(name), countryPrefixOf(name)) : '';
  const kept = numberPart === '' ? (/^[A-Z]{2}(?=\.)/.exec(name)?.[0] ?? '') : numberPart;
  return `${kept === '' ? '' : `${kept}.`}erased.${keyedHash(secret, 'token', name).slice(0, 32)}`;
}

function longer(a: string, b: string): string {
  return a.length >= b.length ? a : b;
}

/** Names as the ledger will know them. */
export function erasedNames(secret: string, names: readonly string[], phone_number_id: string): ErasedName[] {
  return names.map((name) => ({
    phone_number_id,
    digest: keyedHash(secret, 'name', name),
    token: tokenOf(secret, name),
  }));
}
