import { InvalidKey } from './types.js';

/** Whether a store can hold an object of this key, and none outside of where it is put: no empty parts, no `.` or `..`. */
export function isObjectKey(key: string): boolean {
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
}

/** @throws InvalidKey for what would leave a directory store's root, or mean different objects in different stores. */
export function checkKey(key: string): string {
  if (!isObjectKey(key)) throw new InvalidKey(key);
  return key;
}
