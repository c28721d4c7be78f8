import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { type ContentInput, textOf } from './content.js';

test.each<[ContentInput, string]>([
  [{ text: 'a' }, 'a'],
  [{ text: '' }, ''],
  [{ prompt: 'p', response: 'r' }, 'p\nr'],
  [{ prompt: 'p' }, 'p'],
  [{ response: 'r' }, 'r'],
  [{ prompt: '', response: 'r' }, 'r'],
  [{ prompt: '', response: '' }, ''],
  [{ prompt: null, response: 'r' }, 'r'],
  [{ text: 'a \ud83d\ude00', prompt: undefined }, 'a \ud83d\ude00'],
])('%j', (input, text) => {
  expect(textOf(input)).toBe(text);
});

test.each<[unknown, string]>([
  [{ text: 'a', prompt: 'p' }, 'text and prompt/response were given together'],
  [{ text: '', response: '' }, 'text and prompt/response were given together'],
  [{}, 'nothing to score'],
  [{ prompt: null, response: undefined }, 'nothing to score'],
  [{ text: 7 }, 'text must be a string, got a value of type number'],
  [{ prompt: ['p'] }, 'prompt must be a string, got an array'],
  [{ response: {} }, 'response must be a string, got a value of type object'],
  [{ text: 'a\ud83d' }, 'text holds an unpaired surrogate'],
  [{ response: '\ude00' }, 'response holds an unpaired surrogate'],
  ['a', 'expected an object with text, or with prompt and/or response, got a value of type string'],
  [null, 'got null'],
])('%j is refused', (input, message) => {
  const scored = () => textOf(input as ContentInput);
  expect(scored).toThrow(UserError);
  expect(scored).toThrow(message);
});
