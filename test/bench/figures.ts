/** How every bench prints: what was measured, its figure, the goal, and whether it was reached. */
import { cpus, totalmem } from 'node:os';

const WHAT_WIDTH = 66;
const FIGURE_WIDTH = 14;

export interface Goal {
  readonly sign: '<' | '≤' | '≥';
  readonly figure: number;
}

const HOLDS: Readonly<Record<Goal['sign'], (figure: number, wanted: number) => boolean>> = {
  '<': (figure, wanted) => figure < wanted,
  '≤': (figure, wanted) => figure <= wanted,
  '≥': (figure, wanted) => figure >= wanted,
};

/** What has no goal, or is said beside what has one. */
export function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(WHAT_WIDTH)} ${figure}\n`);
}

function written(figure: number): string {
  return figure.toLocaleString('en-US', { maximumFractionDigits: Math.abs(figure) < 10 ? 2 : 0 });
}

/** A figure beside its goal. One that could not be measured has missed it. */
export function judge(what: string, figure: number, unit: string, goal: Goal): void {
  const said = `${written(figure)}${unit}`.padEnd(FIGURE_WIDTH);
  const wanted = `${goal.sign} ${written(goal.figure)}${unit} wanted`;
  say(what, `${said} ${wanted}: ${HOLDS[goal.sign](figure, goal.figure) ? 'reached' : 'MISSED'}`);
}

export function sayMachine(): void {
  say(
    'machine',
    `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}`,
  );
}

export function rate(count: number, seconds: number): string {
  return `${seconds.toFixed(2)} s, ${written(Math.round(count / seconds))}/s`;
}

export function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}

export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5);
}
