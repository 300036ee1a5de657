import type { About } from './about.ts';
import type { Changes } from './changes.ts';
import type { ProcessFigures } from './health.ts';
import type { Reports } from './reports.ts';

/**
 * What the server around the dashboard hands it with each request. `sample` asks for the sample data even when real data
 * exists.
 */
export interface HostedRequest {
  readonly reports: (sample: boolean) => Reports;
  /** Null where pages only read. */
  readonly changes: ((sample: boolean) => Changes) | null;
  /** What the process did since it started; null where it takes nothing in. */
  readonly process: (() => Promise<ProcessFigures>) | null;
  readonly about: About;
}

declare global {
  /** The dashboard is a bundle with its own copy of every module: only what is global is the same on both sides. */
  var ctwaHostedRequests: WeakMap<object, HostedRequest> | undefined;
}

/** Hands over what a request of Node's needs, before the dashboard is called with it. */
export function handOver(request: object, hosted: HostedRequest): void {
  globalThis.ctwaHostedRequests ??= new WeakMap();
  globalThis.ctwaHostedRequests.set(request, hosted);
}

/** What was handed over with a request; undefined where no server of ours is around the dashboard. */
export function handedOver(request: object): HostedRequest | undefined {
  return globalThis.ctwaHostedRequests?.get(request);
}
