/** Thrown when lists, template or masks are missing, or a split has no usable frame: nothing could be trained with it. */
export class DatasetUnusable extends Error {
  override readonly name = 'DatasetUnusable';
}

/** Thrown when more frames are unusable than the configuration allows (`dataset.unusableFrames`). */
export class TooManyUnusableFrames extends Error {
  override readonly name = 'TooManyUnusableFrames';
}
