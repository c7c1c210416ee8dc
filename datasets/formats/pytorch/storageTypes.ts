/** PyTorch's storage classes whose elements we read, with their size in bytes. */
export const storageTypes = {
  FloatStorage: { bytes: 4, floating: true },
  DoubleStorage: { bytes: 8, floating: true },
  HalfStorage: { bytes: 2, floating: true },
  BFloat16Storage: { bytes: 2, floating: true },
  LongStorage: { bytes: 8, floating: false },
  IntStorage: { bytes: 4, floating: false },
  ShortStorage: { bytes: 2, floating: false },
  CharStorage: { bytes: 1, floating: false },
  ByteStorage: { bytes: 1, floating: false },
  BoolStorage: { bytes: 1, floating: false },
} as const;

export type StorageType = keyof typeof storageTypes;

export function isStorageType(name: string): name is StorageType {
  return Object.hasOwn(storageTypes, name);
}

/** Element `index` of a storage, as a number (64-bit integers beyond 2^53 lose precision; counters never get there). */
export function elementReader(type: StorageType, bytes: Uint8Array): (index: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'FloatStorage':
      return (i) => view.getFloat32(i * 4, true);
    case 'DoubleStorage':
      return (i) => view.getFloat64(i * 8, true);
    case 'HalfStorage':
      return (i) => halfToNumber(view.getUint16(i * 2, true));
    case 'BFloat16Storage':
      return (i) => bfloat16ToNumber(view.getUint16(i * 2, true));
    case 'LongStorage':
      return (i) => Number(view.getBigInt64(i * 8, true));
    case 'IntStorage':
      return (i) => view.getInt32(i * 4, true);
    case 'ShortStorage':
      return (i) => view.getInt16(i * 2, true);
    case 'CharStorage':
      return (i) => view.getInt8(i);
    case 'ByteStorage':
    case 'BoolStorage':
      return (i) => view.getUint8(i);
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
