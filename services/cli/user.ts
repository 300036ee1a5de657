import { userInfo } from 'node:os';

/** The name of the operating system's user. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may be a number without a name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
