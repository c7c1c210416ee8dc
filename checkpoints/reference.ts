/** Names one checkpoint that counts, and the bytes of its weights. */
export interface CheckpointReference {
  readonly step: number;
  /** Key prefix of its parts in the object store. */
  readonly key: string;
  /** Hex SHA-256 of `model.safetensors`. */
  readonly modelSha256: string;
}
