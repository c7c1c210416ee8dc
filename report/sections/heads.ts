import { colourOfError, unmeasuredColour } from '../../evaluation/renderings/colours.js';
import { packed } from '../embedded.js';
import { middleOf } from '../frames/middleOf.js';
import { escaped } from '../html.js';
import type { ShownFrame } from '../shownFrame.js';

/** mm that one step of a stored coordinate stands for: finer than any error that is shown. */
const unit = 0.01;
const [smallest, largestStep] = [-32_768, 32_767];
/** Errors are stored as places on the scale, up to this; one more stands for "no scan point near". */
const lastPlace = 254;

export interface HeadsSection {
  readonly frames: readonly ShownFrame[];
  /** `[F, 3]` of all heads. */
  readonly faces: Uint32Array;
  /** The error that has the scale's last colour, mm. */
  readonly largestError: number;
}

/** Heads that turn, with a slider from method to method; empty where no frame has any. */
export function headsSection({ frames, faces, largestError }: HeadsSection): string {
  const shown = frames.filter(({ heads }) => heads.length > 0);
  const [first] = shown;
  if (first === undefined) return '';
  const options = shown.map(({ title }, i) => `<option value="${i}">${escaped(title)}</option>`);
  const [head] = first.heads;
  const data = {
    unit,
    vertexCount: head!.vertices.length / 3,
    faces: base64(faces),
    palette: [
      ...Array.from({ length: lastPlace + 1 }, (_, place) => colourOfError(place / lastPlace, 1)),
      unmeasuredColour,
    ].map((colour) => colour.map(Math.round)),
    unmeasured: unmeasuredColour,
    frames: shown.map(({ title, front, heads }) => {
      const centre = middleOf([heads[0]!.vertices]);
      return {
        title,
        front,
        heads: heads.map(({ name, vertices, errors }) => ({
          name,
          positions: base64(stored(vertices, centre)),
          errors: errors === null ? null : base64(places(errors, largestError)),
        })),
      };
    }),
  };
  return `<h2>Heads</h2>
<div id="heads"><div class="controls"><select aria-label="frame">${options.join('')}</select>
<label>from method to method <input type="range" min="0" max="${first.heads.length - 1}" step="0.02" value="0"></label><output></output>
<label><input type="checkbox"> without colours</label></div>
<canvas tabindex="0" role="img"></canvas><p class="note">Drag, or press the arrow keys, to turn; Ctrl and the wheel to come nearer.</p></div>
${packed('heads-data', JSON.stringify(data))}`;
}

function stored(vertices: Float32Array, centre: readonly number[]): Int16Array {
  return Int16Array.from(vertices, (value, i) =>
    Math.min(largestStep, Math.max(smallest, Math.round((value - centre[i % 3]!) / unit))),
  );
}

function places(errors: Float32Array, largest: number): Uint8Array {
  return Uint8Array.from(errors, (error) =>
    Number.isNaN(error) ? lastPlace + 1 : Math.min(lastPlace, Math.round((error / largest) * lastPlace)),
  );
}

const base64 = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array | Int16Array): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
