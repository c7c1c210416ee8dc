/** A unit that lengths may be in by mistake. */
export interface Unit {
  readonly name: string;
  /** How many of what was expected one of it is. */
  readonly factor: number;
}

/** Where millimetres are expected. */
export const insteadOfMillimetres: readonly Unit[] = [
  { name: 'metres', factor: 1000 },
  { name: 'decimetres', factor: 100 },
  { name: 'inches', factor: 25.4 },
  { name: 'centimetres', factor: 10 },
  { name: 'micrometres', factor: 0.001 },
];

/** Where metres are expected. */
export const insteadOfMetres: readonly Unit[] = [
  { name: 'millimetres', factor: 0.001 },
  { name: 'centimetres', factor: 0.01 },
  { name: 'inches', factor: 0.0254 },
  { name: 'decimetres', factor: 0.1 },
];

/** The unit by which a length comes nearest to another; null if none brings it within a factor of 1.6. */
export function likelyUnit(length: number, expected: number, units: readonly Unit[]): Unit | null {
  const off = ({ factor }: Unit): number => Math.abs(Math.log((length * factor) / expected));
  const [best] = [...units].sort((a, b) => off(a) - off(b));
  return best && off(best) < Math.log(1.6) ? best : null;
}
