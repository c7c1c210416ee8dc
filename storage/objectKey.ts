import { InvalidKey } from './types.js';

/** @throws InvalidKey for what would leave a directory store's root, or mean different objects in different stores. */
export function checkKey(key: string): string {
  const parts = key.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw new InvalidKey(key);
  }
  return key;
}
