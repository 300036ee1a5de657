import type { ESLint } from 'eslint';

/** What each room may import besides itself. */
export const ROOMS: ReadonlyMap<string, readonly string[]>;

/** By which files a file imports itself; null when it does not. */
export function circleOf(path: string, imports: ReadonlyMap<string, readonly string[]>): string[] | null;

/** The rules `arrows` and `no-circle`. */
export const rooms: ESLint.Plugin;
