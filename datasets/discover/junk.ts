/** What other systems leave in folders and archives: no data. */
export function isJunk(name: string): boolean {
  return name.startsWith('.') || ['__MACOSX', 'Thumbs.db', 'desktop.ini'].includes(name);
}
