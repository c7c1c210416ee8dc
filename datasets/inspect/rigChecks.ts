import { cameraFromTka, formatTka } from '../formats/tka.js';
import type { EncodedFrame } from '../reader/frameSource.js';
import { isChosen } from '../views.js';
import { imageFindings } from './imageFindings.js';
import { rigFindings } from './rigFindings.js';
import type { InspectOptions, RigFinding, RigReport } from './types.js';

/** The rigs of the frames that are read: one a sequence. */
export class RigChecks {
  private readonly known = new Map<string, RigReport & { findings: RigFinding[] }>();
  private readonly byCalibrations = new Map<string, readonly RigFinding[]>();

  constructor(
    private readonly options: InspectOptions,
    private readonly storedResizeFactor: number,
  ) {}

  /** In the order of their names: frames are read side by side, and come as they come. */
  get reports(): readonly RigReport[] {
    return [...this.known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, report]) => report);
  }

  async add({ subject, sequence }: { subject: string; sequence: string }, { views }: EncodedFrame): Promise<void> {
    const { volume } = this.options;
    const used = views.filter(({ name }) => isChosen(name, this.options));
    const key = `${subject}/${sequence}`;
    let report = this.known.get(key);
    if (!report) {
      // Most rigs stand still over many sequences.
      const content = JSON.stringify(used.map(({ name, calibration }) => [name, formatTka(calibration, 'exact')]));
      let findings = this.byCalibrations.get(content);
      if (!findings) {
        const cameras = used.map(({ name, calibration }) => cameraFromTka(calibration, 1, name));
        this.byCalibrations.set(content, (findings = rigFindings(cameras, volume)));
      }
      report = { subject, sequence, cameras: used.length, findings: [...findings] };
      this.known.set(key, report);
    }
    for (const finding of await imageFindings(used, this.storedResizeFactor)) {
      const isKnown = report.findings.some(({ camera, found }) => camera === finding.camera && found === finding.found);
      if (!isKnown) report.findings.push(finding);
    }
  }
}
