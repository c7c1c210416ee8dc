import type { FormatError } from '../formatError.js';
import { PickleTuple, type PickleDictionary, type PickleValue } from './values.js';

const mark = Symbol('mark');

/** The stack and the memo of a pickle's machine: each access is checked. */
export abstract class PickleStack {
  private readonly stack: (PickleValue | typeof mark)[] = [];
  private readonly memo = new Map<number, PickleValue>();

  protected abstract problem(expected: string, found: string): FormatError;

  protected pushMark(): void {
    this.stack.push(mark);
  }

  protected drop(): void {
    this.stack.pop();
  }

  protected push(value: PickleValue): void {
    this.stack.push(value);
  }

  protected pushTuple(count: number): void {
    const items: PickleValue[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.pop());
    this.push(new PickleTuple(items));
  }

  protected pop(): PickleValue {
    const item = this.stack.pop();
    if (item === undefined || item === mark) throw this.problem('a value on the stack', 'none');
    return item;
  }

  protected top(): PickleValue {
    const item = this.pop();
    this.push(item);
    return item;
  }

  protected topList(): PickleValue[] {
    const list = this.top();
    if (!Array.isArray(list)) throw this.problem('a list', 'something else');
    return list;
  }

  protected topDictionary(): PickleDictionary {
    const top = this.top();
    if (!(top instanceof Map)) throw this.problem('a dictionary', 'something else');
    return top;
  }

  protected popToMark(): PickleValue[] {
    const items: PickleValue[] = [];
    for (;;) {
      const item = this.stack.pop();
      if (item === mark) return items.reverse();
      if (item === undefined) throw this.problem('a mark on the stack', 'none');
      items.push(item);
    }
  }

  protected remember(index: number): void {
    this.memo.set(index, this.top());
  }

  protected recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.problem(`a value remembered as ${index}`, 'none');
    return value;
  }

  protected rememberNext(): void {
    this.remember(this.memo.size);
  }
}
