/** Colour stops of the error scale: none, then up to the largest error. RGB in [0, 255]. */
export const errorColours = [
  [49, 87, 201],
  [52, 171, 196],
  [92, 196, 99],
  [240, 200, 66],
  [214, 57, 44],
] as const;

/** Colour of a place that no scan point measures. */
export const unmeasuredColour = [128, 130, 134] as const;

/**
 * Colour of an error, linear between the stops; errors beyond the largest have the last colour, NaN that of unmeasured
 * places.
 *
 * @returns RGB in [0, 255].
 */
export function colourOfError(error: number, largest: number): readonly [number, number, number] {
  if (Number.isNaN(error)) return unmeasuredColour;
  const position = Math.min(1, Math.max(0, error / largest)) * (errorColours.length - 1);
  const below = Math.min(errorColours.length - 2, Math.floor(position));
  const share = position - below;
  const mix = (channel: 0 | 1 | 2): number =>
    errorColours[below]![channel] * (1 - share) + errorColours[below + 1]![channel] * share;
  return [mix(0), mix(1), mix(2)];
}

/** Where the scale ends, mm: 1, 2 or 5 times a power of ten, near the 90th percentile of a table's first method. */
export function scaleEnd(methods: readonly { readonly pointToSurface: { readonly percentile90: number } }[]): number {
  const typical = methods[0]?.pointToSurface.percentile90 ?? 1;
  const power = 10 ** Math.floor(Math.log10(Math.max(0.1, typical)));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= typical) ?? 10 * power;
}
