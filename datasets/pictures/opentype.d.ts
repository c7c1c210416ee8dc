/** It comes without types; these are what we use. */
declare module 'opentype.js' {
  export interface Glyph {
    /** In units of the font. */
    readonly advanceWidth?: number;
    /** @param y of the base line. */
    getPath(x: number, y: number, fontSize: number): { toPathData(decimals: number): string };
  }
  export interface Font {
    readonly unitsPerEm: number;
    charToGlyph(character: string): Glyph;
  }
  const opentype: { parse(bytes: ArrayBuffer, options?: { readonly lowMemory?: boolean }): Font };
  export default opentype;
}
