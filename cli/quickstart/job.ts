import type { RunConfiguration } from '../../configs/schema/run.js';
import type { MiniatureSettings } from '../../miniature/settings.js';
import type { Workspace } from '../machine/workspace.js';

/** What a start works on. */
export interface QuickstartJob {
  readonly space: Workspace;
  readonly configuration: RunConfiguration;
  readonly configurationSha256: string;
  readonly bucket: string;
  readonly miniature: Partial<MiniatureSettings>;
  readonly fresh: boolean;
  readonly keep: boolean;
}
