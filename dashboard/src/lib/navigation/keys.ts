/** Keys that work on every page, as they are listed to people. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['/', 'Ctrl K'], does: 'Go to a page, conversation, message, ad or account' },
  { keys: ['?'], does: 'Show these keys' },
  { keys: ['Esc'], does: 'Close what is open' },
];

export type Command = 'jump' | 'keys';

/** Whether what is typed goes into a field. */
function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** What a pressed key asks for; null: nothing of ours. A plain key asks for nothing while somebody types. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.altKey || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return null;
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === 'k' && !event.shiftKey ? 'jump' : null;
  if (isField(event.target)) return null;
  if (event.key === '/') return 'jump';
  return event.key === '?' ? 'keys' : null;
}
