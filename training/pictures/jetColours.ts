/** The jet colour map: blue over cyan, yellow to red. @param value in [0, 1], else clipped. @returns RGB in [0, 1]. */
export function jetColour(value: number): [number, number, number] {
  const x = 4 * Math.min(1, Math.max(0, value));
  const ramp = (centre: number): number => Math.min(1, Math.max(0, 1.5 - Math.abs(x - centre)));
  return [ramp(3), ramp(2), ramp(1)];
}
