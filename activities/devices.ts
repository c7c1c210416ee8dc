import { deviceMemoryVariable } from '../configs/deviceMemory.js';

/** What a trainer or predictor computes on. */
export interface Device {
  /** As nvidia-smi counts; null: the processor. */
  readonly index: number | null;
  /** `NVIDIA H200` */
  readonly name: string;
  readonly uuid: string | null;
  readonly driver: string | null;
  readonly memoryBytes: number | null;
}

/** The devices of a worker: each is lent to one process at a time. */
export class DevicePool {
  private readonly free: Device[];
  private readonly lent = new Set<Device>();
  private readonly retired = new Set<Device>();

  constructor(private readonly devices: readonly Device[]) {
    this.free = [...devices];
  }

  /** As many activities as there are devices. */
  get size(): number {
    return this.devices.length;
  }

  /** Devices that are not retired. */
  get usable(): number {
    return this.devices.length - this.retired.size;
  }

  /** It is not lent any more. */
  retire(device: Device): void {
    this.retired.add(device);
    const i = this.free.indexOf(device);
    if (i >= 0) this.free.splice(i, 1);
  }

  /** It is well again: the end of `retire`. */
  restore(device: Device): void {
    if (this.retired.delete(device) && !this.lent.has(device)) this.free.push(device);
  }

  /**
   * Lends a device to some work, with the variables by which its process sees that device and no other.
   *
   * @throws Error where more work is begun than there are devices.
   */
  async lend<T>(work: (device: Device, environment: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    const device = this.free.shift();
    if (device === undefined) throw new Error(`All ${this.size} devices of this worker are at work.`);
    this.lent.add(device);
    try {
      return await work(device, deviceEnvironment(device, this.size));
    } finally {
      this.lent.delete(device);
      if (!this.retired.has(device)) this.free.push(device);
    }
  }
}

/**
 * Variables of a process that has one of `slots` devices: what it sees, and how many share the machine's processor,
 * memory and disk with it.
 */
export function deviceEnvironment({ uuid, memoryBytes }: Device, slots: number): Record<string, string> {
  return {
    TEMPEH_SLOTS: String(slots),
    ...(memoryBytes === null ? {} : { [deviceMemoryVariable]: String(memoryBytes) }),
    // By its UUID: numbers mean different devices to the driver and to CUDA.
    ...(uuid === null ? {} : { CUDA_VISIBLE_DEVICES: uuid }),
  };
}

/** `GPU 0, NVIDIA H200`; `CPU`. */
export function deviceLabel({ index, name }: Device): string {
  return index === null ? name : `GPU ${index}, ${name}`;
}
