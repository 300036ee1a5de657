import type { About } from './about.ts';
import type { Changes } from './changes.ts';
import type { ProcessFigures } from './health.ts';
import type { Reports } from './reports.ts';

/**
 * What the server passes to the dashboard with each request. `sample` asks for the sample data even when real data
 * exists.
 */
export interface HostedRequest {
  readonly reports: (sample: boolean) => Reports;
  /** Null when pages only read. */
  readonly changes: ((sample: boolean) => Changes) | null;
  /** The figures of this process since it started; null when it takes no events in. */
  readonly process: (() => Promise<ProcessFigures>) | null;
  readonly about: About;
}

declare global {
  /** The dashboard is a bundle with its own copy of every module. Only global state is shared with the server. */
  var ctwaHostedRequests: WeakMap<object, HostedRequest> | undefined;
}

/** Attaches to a request of Node's what the dashboard needs, before the dashboard is called with it. */
export function handOver(request: object, hosted: HostedRequest): void {
  globalThis.ctwaHostedRequests ??= new WeakMap();
  globalThis.ctwaHostedRequests.set(request, hosted);
}

/** What was attached to a request; undefined when our server did not call the dashboard. */
export function handedOver(request: object): HostedRequest | undefined {
  return globalThis.ctwaHostedRequests?.get(request);
}
