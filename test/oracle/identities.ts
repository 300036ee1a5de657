/** F9: which names of the customers of a number are one person's, and what rows call the person. */
import { bytewise, type Copy, customerOf, type Fields, inside, text } from './events.ts';

/** The name that rows give to the person of a name. */
export type CustomerOf = (phone_number_id: string, name: string) => string;

const IN_CHANGES = [
  'wa_id',
  'user_id',
  'parent_user_id',
  'previous_wa_id',
  'previous_user_id',
  'previous_parent_user_id',
];

/** Every name that an event gives its customer. An event of a group, or one without a customer, links nobody. */
function namesIn(fields: Fields): string[] {
  if (text(fields, 'group_id') !== '' || customerOf(fields) === '') return [];
  const own = ['wa_id', 'user_id', 'parent_user_id'].map((name) => text(fields, name));
  const changed = IN_CHANGES.map((name) => text(inside(fields, 'system'), name));
  return [...own, ...changed].filter((name) => name !== '');
}

/** The latest of the events that has such a name, then the greater name; a change names what is new. */
function latestName(events: readonly Copy[], field: 'wa_id' | 'user_id'): string {
  let latest = { at: -1, name: '' };
  for (const { fields, timestamp } of events) {
    const name = text(inside(fields, 'system'), field) || text(fields, field);
    if (name === '' || timestamp < latest.at) continue;
    if (timestamp > latest.at || bytewise(name, latest.name) > 0) latest = { at: timestamp, name };
  }
  return latest.name;
}

/** The naive union: sets of names of one number are put together as long as an event has a name of each. */
export function personsOf(copies: readonly Copy[], identities: 'linked' | 'apart'): CustomerOf {
  if (identities === 'apart') return (_, name) => name;
  const persons = new Map<string, { names: Set<string>; events: Copy[] }[]>();
  for (const copy of copies) {
    const number = text(copy.fields, 'phone_number_id');
    const names = namesIn(copy.fields);
    if (names.length === 0) continue;
    const known = persons.get(number) ?? [];
    const same = known.filter((person) => names.some((name) => person.names.has(name)));
    const person = {
      names: new Set([...names, ...same.flatMap((one) => [...one.names])]),
      events: [copy, ...same.flatMap((one) => one.events)],
    };
    persons.set(number, [...known.filter((one) => !same.includes(one)), person]);
  }
  return (number, name) => {
    const person = persons.get(number)?.find((one) => one.names.has(name));
    if (person === undefined) return name;
    return latestName(person.events, 'wa_id') || latestName(person.events, 'user_id');
  };
}
