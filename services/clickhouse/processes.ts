import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Names this process among all that use a ledger: machine, process id, and random digits. */
export function newProcessName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(6).toString('hex')}`;
}

/** Whether a process of this machine runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Whether a named process ran on this machine and runs no more. Of other machines nothing is known. */
export function hasDiedHere(name: string): boolean {
  const [host, pid] = name.split('/');
  return host === hostname() && !isRunning(Number(pid));
}
