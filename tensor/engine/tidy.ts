import { engine } from './engine.js';
import { tf, type Tensor } from '../tensorflow.js';

/**
 * `tf.tidy` for functions that return anything: tensors in the result survive, those that it does not hold are freed.
 * Tensors are looked for in arrays and plain objects; typed arrays, class instances and functions are not searched.
 */
export function tidy<A>(f: () => A): A {
  const survivors: Tensor[] = [];
  engine.startScope();
  try {
    const result = f();
    collect(result, survivors);
    return result;
  } finally {
    engine.endScope(survivors);
  }
}

function collect(value: unknown, tensors: Tensor[]): void {
  if (value instanceof tf.Tensor) tensors.push(value as Tensor);
  else if (Array.isArray(value)) for (const element of value) collect(element, tensors);
  else if (isPlainObject(value)) for (const element of Object.values(value)) collect(element, tensors);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
