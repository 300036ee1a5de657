/**
 * The file and function that called a method, `spend/spend.ts standingSpend`: as `log_comment` it is what a statement is found
 * by in `system.query_log`. Read from the stack, so that no query can be without it.
 * @param method what was called: the frame below it is the caller's
 */
export function callerOf(method: (...given: never[]) => unknown): string {
  const trace: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  // One frame: each costs a look into a source map.
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(trace, method);
  const frame = trace.stack?.split('\n').find((line) => line.startsWith('    at ')) ?? '';
  Error.stackTraceLimit = limit;
  const [, name = '', file = ''] = /^ {4}at (?:async )?(?:(.*?) \()?.*?([\w-]+\/[\w.-]+\.[jt]s):\d+/.exec(frame) ?? [];
  return `${file} ${name}`.trim();
}
