/**
 * Lets a click anywhere in a row follow the row's own link, which keyboards and screen readers use. Links, buttons and
 * fields of the row work as always, and so does selecting text.
 */
export function openRows(table: HTMLElement): () => void {
  const open = (event: MouseEvent): void => {
    const { target } = event;
    if (!(target instanceof Element) || target.closest('a, button, input, select, label, summary') !== null) return;
    if (event.defaultPrevented || (getSelection()?.toString() ?? '') !== '') return;
    const link = target
      .closest('tbody tr')
      ?.querySelector<HTMLElement>(':is(td.opens, tr:not(:has(td.opens a)) > th) a');
    link?.dispatchEvent(
      new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey: event.ctrlKey, metaKey: event.metaKey }),
    );
  };
  table.addEventListener('click', open);
  return () => table.removeEventListener('click', open);
}
