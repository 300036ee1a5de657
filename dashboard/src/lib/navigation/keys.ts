/** Keys that work on every page, as they are listed for people. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['/', 'Ctrl K'], does: 'Go to a page, conversation, message, ad or account' },
  { keys: ['?'], does: 'Show these keys' },
  { keys: ['Esc'], does: 'Close what is open' },
];

export type Command = 'jump' | 'keys';

/** Whether a key press goes into a field. */
function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The command of a pressed key; null when it is none of ours. Plain keys do nothing while somebody types. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.altKey || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return null;
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === 'k' && !event.shiftKey ? 'jump' : null;
  if (isField(event.target)) return null;
  if (event.key === '/') return 'jump';
  return event.key === '?' ? 'keys' : null;
}
