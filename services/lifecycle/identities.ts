import { identityChangeOf, namesOfCustomer, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer } from '@ctwa-ledger/schemas/ids.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { Rulebook } from './rulebook.ts';

/** A name, and when an event used it last. */
interface Used {
  readonly name: string;
  readonly at: number;
}

interface Person {
  /** Every name, in the order in which they were found. */
  readonly names: string[];
  /** Names that events are landed under. */
  readonly landed: Set<string>;
  /** Names that were ever landed under or in the place of the person's name on rows. */
  readonly shown: Set<string>;
  number: Used | null;
  id: Used | null;
}

/** The later of two uses; of one second the greater name. */
function later(known: Used | null, name: string, at: number): Used | null {
  if (name === '') return known;
  const isLater = known === null || at > known.at || (at === known.at && compareUtf8(name, known.name) > 0);
  return isLater ? { name, at } : known;
}

/**
 * Which names of customers of one business number are one person's (F9): names that one event gives its customer, and
 * names that are linked through others.
 */
export class Identities {
  readonly #areApart: boolean;
  /** Of names with others; a name that is alone is not in it. */
  readonly #parent = new Map<string, string>();
  /** By the name that stands for the person. */
  readonly #persons = new Map<string, Person>();

  /** @param events all of one business number that could matter; order and duplicates do not matter */
  constructor(events: readonly LedgerEvent[], { settings }: Pick<Rulebook, 'settings'>) {
    this.#areApart = settings.identities === 'apart';
    let last: LedgerEvent | null = null;
    for (const event of events) {
      // Events of a thread nearly always give the same names.
      if (last !== null && isNamedAlike(event, last)) continue;
      last = event;
      const [first, ...others] = namesOfCustomer(event);
      if (first !== undefined) for (const other of others) this.#join(first, other);
    }
    if (this.#parent.size === 0) return;
    for (const name of this.#parent.keys()) {
      const root = this.#find(name);
      const person = this.#persons.get(root);
      if (person === undefined)
        this.#persons.set(root, { names: [name], landed: new Set(), shown: new Set(), number: null, id: null });
      else person.names.push(name);
    }
    for (const event of events) if (event.group_id === '') this.#use(event);
  }

  #use(event: LedgerEvent): void {
    const person = this.#persons.get(this.#find(event.customer));
    if (person === undefined) return;
    const { wa_id, user_id } = identityChangeOf(event);
    // A notice of a change calls its customer by the new name.
    const number = wa_id ?? event.wa_id;
    person.number = later(person.number, number, event.timestamp);
    person.id = later(person.id, user_id ?? event.user_id, event.timestamp);
    person.landed.add(event.customer);
    person.shown.add(event.customer);
    if (number !== '') person.shown.add(number);
    if (user_id !== undefined) person.shown.add(user_id);
  }

  #find(name: string): string {
    let root = name;
    for (let next = this.#parent.get(root); next !== undefined && next !== root; next = this.#parent.get(root))
      root = next;
    return root;
  }

  #join(a: string, b: string): void {
    const [rootA, rootB] = [this.#find(a), this.#find(b)];
    this.#parent.set(rootA, rootB);
    if (!this.#parent.has(rootB)) this.#parent.set(rootB, rootB);
  }

  /**
   * The name of a person on rows: the phone number that the latest event with one uses, without any the business-scoped
   * id likewise; of one second the greater.
   */
  customerOf(name: string): Customer {
    if (this.#areApart) return name as Customer;
    const person = this.#persons.get(this.#find(name));
    return (person?.number?.name ?? person?.id?.name ?? name) as Customer;
  }

  /**
   * The names that events are landed under, where rows may call their customer something else, each with what rows call
   * it. A name that is among them once stays among them, whatever events come.
   */
  *renamed(): Generator<{ readonly name: string; readonly customer: Customer }> {
    for (const { landed, shown } of this.#persons.values())
      if (shown.size > 1) for (const name of landed) yield { name, customer: this.customerOf(name) };
  }

  /** Every name of the person that a name belongs to, in the order of their bytes; the name itself if it is alone. */
  namesOf(name: string): readonly string[] {
    const person = this.#areApart ? undefined : this.#persons.get(this.#find(name));
    return person === undefined ? [name] : [...person.names].sort(compareUtf8);
  }
}

function isNamedAlike(a: LedgerEvent, b: LedgerEvent): boolean {
  return (
    a.wa_id === b.wa_id &&
    a.user_id === b.user_id &&
    a.parent_user_id === b.parent_user_id &&
    a.group_id === b.group_id &&
    (a.event === 'status' || a.identity_change === '') &&
    (b.event === 'status' || b.identity_change === '')
  );
}
