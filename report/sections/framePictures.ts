import { errorColours } from '../../evaluation/renderings/colours.js';
import { escaped } from '../html.js';
import type { ShownFrame } from '../shownFrame.js';

/** The frames' pictures, a row a frame: what is left on paper and without scripts. @param largestError mm. */
export function framePictures(frames: readonly ShownFrame[], largestError: number): string {
  if (frames.length === 0) return '';
  return `<h2>Frames</h2>${legend(largestError)}${frames.map(row).join('\n')}`;
}

function row({ title, pictures }: ShownFrame): string {
  const figures = pictures.map(({ caption, png }) => {
    const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
    return `<figure><img alt="${escaped(caption)}" src="${source}"><figcaption>${escaped(caption)}</figcaption></figure>`;
  });
  return `<h3>${escaped(title)}</h3><div class="row">${figures.join('')}</div>`;
}

/** @param largest the error that has the last colour, mm. */
export function legend(largest: number): string {
  const stops = errorColours.map(([red, green, blue]) => `rgb(${red} ${green} ${blue})`).join(', ');
  return `<div class="legend"><span>0</span><i style="background:linear-gradient(90deg, ${stops})"></i><span>${largest.toFixed(1)} mm and more</span><b></b><span>no scan point near</span></div>`;
}
