/**
 * What rows call the customers of stored events (rules.md F9). Only customers with several names have a row; any other is
 * called as the events call them.
 */
const CUSTOMER_NAMES = 'SELECT phone_number_id, name, customer AS called FROM customer_names FINAL';

/** Joins `events` with what rows call the customer: column `called`, empty where it is the events' own name. */
export const JOINED_WITH_CALLED = `LEFT JOIN (${CUSTOMER_NAMES}) AS names
  ON events.phone_number_id = names.phone_number_id AND events.customer = names.name`;
export const CALLED = "if(names.called = '', events.customer, names.called)";

/**
 * The pairs of number and customer under which events of some customers are stored.
 * @param customers a query of numbers and customers as rows call them
 */
export function storedUnder(customers: string): string {
  return `${customers} UNION ALL
    SELECT phone_number_id, name FROM customer_names FINAL WHERE (phone_number_id, customer) IN (${customers})`;
}

/**
 * The pairs of number and customer, as rows call them, of whom some name is meant.
 * @param isMeant a condition on a column `name`
 */
export function customersNamed(isMeant: string): string {
  return `SELECT phone_number_id, customer FROM customer_names FINAL WHERE ${isMeant}
    UNION ALL
    SELECT given.phone_number_id, if(names.called = '', given.landed, names.called)
    FROM (SELECT DISTINCT phone_number_id, customer AS landed FROM message_names WHERE name != '' AND ${isMeant}) AS given
    LEFT JOIN (${CUSTOMER_NAMES}) AS names ON given.phone_number_id = names.phone_number_id AND given.landed = names.name`;
}
