import { fieldSource } from './field-source.js';

/**
 * The number that a JSON object has for a field, as written there: `JSON.parse` rounds integers above 2^53, and an
 * id must keep its digits. Undefined when the field holds no number.
 */
export function numberLiteral(json: string, field: string): string | undefined {
  const source = fieldSource(json, field);
  return source !== undefined && /^[-\d]/.test(source) ? source : undefined;
}
