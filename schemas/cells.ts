import { z } from 'zod';

/** An amount or a rate: a decimal as text, never a JavaScript number. */
export const decimal = z.string().meta({ format: 'decimal' });
/** An amount; null when nothing has a price. */
export const amount = decimal.nullable();
export const count = z.int().nonnegative();
/** ISO 8601 with offset, in the report's zone; null = not known. */
export const instant = z.string().meta({ format: 'date-time' }).nullable();
/** ISO 8601 in UTC. */
export const utcInstant = z.string().meta({ format: 'date-time' });
