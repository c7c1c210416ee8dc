import type { GlobalOptions } from '../command.js';
import type { StoreOptions } from '../storeOptions.js';
import type { ViewOptions } from '../viewOptions.js';

/** Which data set. */
export interface DatasetArguments extends GlobalOptions, ViewOptions, StoreOptions {
  run: string | undefined;
  directory: string | undefined;
}

/** Of `dataset check`. */
export interface CheckArguments extends DatasetArguments {
  sample: number;
  all: boolean;
}

/** Of `dataset show`. */
export interface ShowArguments extends DatasetArguments {
  frames: string[];
  sample: number;
  output: string;
}

/** Of `dataset convert-calibrations`. */
export interface ConvertArguments extends GlobalOptions {
  files: string[];
  output: string;
  list: string[];
  units: 'mm' | 'cm' | 'm' | undefined;
  extrinsics: 'world-to-camera' | 'camera-to-world' | undefined;
  'image-size': string | undefined;
  origin: number[] | undefined;
  axes: string;
  undistorted: boolean;
  scale: number | undefined;
  align: string | undefined;
  'camera-name': string | undefined;
  ignore: string[];
  'accept-residual': number;
  config: string;
  set: string[];
}
