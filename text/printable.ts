const longestByDefault = 300;

/**
 * What comes from outside (a host's page, an archive's names, a data list, an error of a library), made fit for a line of
 * a terminal or log. Control characters (C0, DEL, C1), line and paragraph separators, format characters (those that turn
 * the direction of writing among them), private-use characters and halves of surrogate pairs are escaped as `\uXXXX`, so
 * that JSON stays JSON. Tabs and line ends become spaces.
 *
 * @param longest characters; what is cut off is shown by `…`.
 */
export function printable(text: string, longest = longestByDefault): string {
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return escapeControls(cut.replace(/\r\n|[\t\n\r]/g, ' '));
}

/** The same for text of several lines, of any length: line ends and tabs stay. */
export function printableLines(text: string): string {
  return escapeControls(text.replaceAll('\r\n', '\n'), '\n\t');
}

/** Whether a name holds what a terminal would obey or hide: it is to be refused, or escaped. */
export function hasControls(text: string): boolean {
  return text.search(controls) >= 0;
}

const controls = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
const allControls = new RegExp(controls.source, 'gu');

function escapeControls(text: string, kept = ''): string {
  return text.replace(allControls, (character) => (kept.includes(character) ? character : escaped(character)));
}

/** By UTF-16 units, as JSON has it. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
