import { wholeNumber } from '../options/guard-options.js';

/** A whole number from 0, where 0 means "none". */
export function numberFromZero(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}
