/** Text for a page, whatever it holds. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** A table that scrolls sideways where the page is narrow. @param head a row of cells, as HTML. @param body rows of cells, as HTML. */
export function table(head: string, body: readonly string[]): string {
  return `<div class="scroll"><table><thead>${head}</thead><tbody>${body.join('\n')}</tbody></table></div>`;
}
