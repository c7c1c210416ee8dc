/**
 * Letters for pictures, 5 pixels wide and 7 high, so that a picture's words do not depend on the fonts of a machine. Five
 * columns a character from the space on, two hexadecimal digits each, the lowest bit at the top. Small letters are shown
 * as capitals.
 */
const columns =
  '0000000000' + // space
  '00005f0000' + // !
  '0007000700' + // "
  '147f147f14' + // #
  '242a7f2a12' + // $
  '2313086462' + // %
  '3649562050' + // &
  '0008070300' + // '
  '001c224100' + // (
  '0041221c00' + // )
  '2a1c7f1c2a' + // *
  '08083e0808' + // +
  '0040301000' + // ,
  '0808080808' + // -
  '0000606000' + // .
  '2010080402' + // /
  '3e5149453e' + // 0
  '00427f4000' + // 1
  '7249494946' + // 2
  '2141494d33' + // 3
  '1814127f10' + // 4
  '2745454539' + // 5
  '3c4a494931' + // 6
  '4121110907' + // 7
  '3649494936' + // 8
  '464949291e' + // 9
  '0000140000' + // :
  '0040340000' + // ;
  '0008142241' + // <
  '1414141414' + // =
  '0041221408' + // >
  '0201590906' + // ?
  '3e415d594e' + // @
  '7c1211127c' + // A
  '7f49494936' + // B
  '3e41414122' + // C
  '7f4141413e' + // D
  '7f49494941' + // E
  '7f09090901' + // F
  '3e41415173' + // G
  '7f0808087f' + // H
  '00417f4100' + // I
  '2040413f01' + // J
  '7f08142241' + // K
  '7f40404040' + // L
  '7f021c027f' + // M
  '7f0408107f' + // N
  '3e4141413e' + // O
  '7f09090906' + // P
  '3e4151215e' + // Q
  '7f09192946' + // R
  '2649494932' + // S
  '03017f0103' + // T
  '3f4040403f' + // U
  '1f2040201f' + // V
  '3f4038403f' + // W
  '6314081463' + // X
  '0304780403' + // Y
  '6159494d43' + // Z
  '007f414141' + // [
  '0204081020' + // backslash
  '004141417f' + // ]
  '0402010204' + // ^
  '4040404040'; // _

export const glyphWidth = 5;
export const glyphHeight = 7;

/** The columns of a character, lowest bit at the top; those of `?` for one that is not here. `[5]` */
export function glyphOf(character: string): readonly number[] {
  const code = character.toUpperCase().charCodeAt(0) - 32;
  const known = code >= 0 && 10 * code < columns.length ? code : '?'.charCodeAt(0) - 32;
  return [0, 1, 2, 3, 4].map((column) =>
    Number.parseInt(columns.slice(10 * known + 2 * column, 10 * known + 2 * column + 2), 16),
  );
}
