/** How often a visible page updates. */
export const UPDATE_EVERY_MS = 30_000;

const CHOICE = 'ctwa-live';

/** Whether pages update by themselves: yes, unless this reader has stopped it. */
export function keptChoice(): boolean {
  try {
    return localStorage.getItem(CHOICE) !== 'off';
  } catch {
    // A browser may forbid storage; the choice then lasts as long as the page.
    return true;
  }
}

export function keepChoice(isOn: boolean): void {
  try {
    localStorage.setItem(CHOICE, isOn ? 'on' : 'off');
  } catch {
    // As above.
  }
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`. */
export function ageOf(seconds: number): string {
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}
