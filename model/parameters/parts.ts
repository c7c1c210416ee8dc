import { trunkPrefix } from './parameterLayout.js';

/** Parts of the networks that can be kept as they are while the rest is trained; the names are those of the settings. */
export type NetworkPart = 'trunk' | 'featureNet' | 'localiser' | 'v2v';

/** What the published names of a part's tensors begin with, in either model. */
const prefixes: Readonly<Record<NetworkPart, readonly string[]>> = {
  trunk: [trunkPrefix],
  featureNet: ['feature_net.'],
  localiser: ['sparse_point_net.grid_refiner.'],
  v2v: ['sparse_point_net.global_net.', 'local_densify_net.'],
};

/** Whether a tensor, by its published name, is of one of the parts. */
export function isOfParts(name: string, parts: readonly NetworkPart[]): boolean {
  return parts.some((part) => prefixes[part].some((prefix) => name.startsWith(prefix)));
}
