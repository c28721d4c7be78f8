import { isUserError } from '@tocsin/errors';
import { expect, test } from 'vitest';
import { resolveFields } from './fields.js';

test('defaults fill what is not given', () => {
  expect(resolveFields()).toEqual({ text: 'text', prompt: 'prompt', response: 'response', id: 'id' });
  expect(resolveFields({ text: 'body' })).toEqual({
    text: 'body',
    prompt: 'prompt',
    response: 'response',
    id: 'id',
  });
});

test('a given name wins over the default of another role', () => {
  expect(resolveFields({ text: 'prompt' })).toEqual({
    text: 'prompt',
    prompt: undefined,
    response: 'response',
    id: 'id',
  });
  expect(resolveFields({ text: 'id' }).id).toBeUndefined();
  expect(resolveFields({ prompt: 'response', response: 'prompt' })).toMatchObject({
    prompt: 'response',
    response: 'prompt',
  });
});

test('one name for two roles is refused', () => {
  expect(() => resolveFields({ text: 'body', id: 'body' })).toThrow(
    'The field "body" is named as both text and id.',
  );
  try {
    resolveFields({ text: 'body', id: 'body' });
  } catch (error) {
    expect(isUserError(error)).toBe(true);
  }
});
