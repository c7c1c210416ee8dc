import { z } from 'zod';

/** Cameras by their kind. */
export const viewKindSchema = z.enum(['stereo', 'colour', 'all']);
/** A kind of camera. */
export type ViewKind = z.infer<typeof viewKindSchema>;
