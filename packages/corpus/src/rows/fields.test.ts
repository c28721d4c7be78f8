import { isUserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { DEFAULT_FIELDS, resolveFields } from './fields.js';

test('defaults fill what is not given', () => {
  expect(resolveFields()).toEqual(DEFAULT_FIELDS);
  expect(resolveFields({ text: 'body' })).toEqual({ ...DEFAULT_FIELDS, text: 'body' });
});

test('a given name wins over the default of another role', () => {
  expect(resolveFields({ text: 'prompt' })).toEqual({
    ...DEFAULT_FIELDS,
    text: 'prompt',
    prompt: undefined,
  });
  expect(resolveFields({ text: 'id' }).id).toBeUndefined();
  expect(resolveFields({ prompt: 'response', response: 'prompt' })).toMatchObject({
    prompt: 'response',
    response: 'prompt',
  });
});

test('one name for two roles is refused', () => {
  expect(() => resolveFields({ text: 'body', id: 'body' })).toThrow(
    'the field "body" cannot be both text and id',
  );
  try {
    resolveFields({ text: 'body', id: 'body' });
  } catch (error) {
    expect(isUserError(error)).toBe(true);
  }
});
