import { FormatError, listed } from '../../datasets/formats/formatError.js';
import type { PytorchValue } from '../../datasets/formats/pytorch/readPytorch.js';
import type { StateDict } from './stateDict.js';

/** What PyTorch's wrappers put into names: DataParallel and the like, `torch.compile`. No name of the networks has either. */
const wrappers = new Set(['module', '_orig_mod']);

/** Where the networks' own names begin; before that stands what another program calls the network in its own class. */
const networkStart = /^(?:.*?\.)??(?=(?:feature_net|sparse_point_net|local_densify_net)\.)/;
/** torchvision's ResNet by itself. */
const trunkStart = /^(?:.*?\.)??(?=(?:conv1|bn1|layer\d+\.\d+|fc)\.)/;

/**
 * A state dict under the networks' own names: without the wrappers of DataParallel (`module.`) and `torch.compile`
 * (`_orig_mod.`), and without the name that Lightning's module or another class has for the network (`model.`).
 *
 * @throws FormatError where the weights stand under several such names, of which one would have to be chosen.
 */
export function withNetworkNames(states: StateDict, file: string): StateDict {
  const plain = renamed(states, file, (name) =>
    name
      .split('.')
      .filter((part) => !wrappers.has(part))
      .join('.'),
  );
  const names = [...plain.keys()].map(String);
  const start = names.some((name) => networkStart.test(name)) ? networkStart : trunkStart;
  const prefixes = new Set(names.flatMap((name) => start.exec(name)?.[0] ?? []));
  if (prefixes.size > 1) {
    const expected = 'the weights of one network';
    throw new FormatError({ file, expected, found: `those of ${prefixes.size}, under ${listed([...prefixes])}` });
  }
  const [prefix = ''] = prefixes;
  return prefix === ''
    ? plain
    : renamed(plain, file, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
}

function renamed(states: StateDict, file: string, rename: (name: string) => string): StateDict {
  const result = new Map<string | number, PytorchValue>();
  for (const [name, value] of states) {
    const own = typeof name === 'string' ? rename(name) : name;
    if (result.has(own)) {
      const found = `two of the name ${listed([String(own)])}`;
      throw new FormatError({ file, expected: 'each tensor once, without its prefix', found });
    }
    result.set(own, value);
  }
  return result;
}
