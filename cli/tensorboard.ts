export async function tensorboard(_options: {}): Promise<number> {
  return 0;
}
