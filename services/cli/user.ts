import { userInfo } from 'node:os';

/** The name of the operating system's user who runs this. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no name belongs to.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
