import { expect, test } from 'vitest';
import { errorOf, noAnswer } from './request.js';

test('what the API says of an error is what the page says', () => {
  const body = JSON.stringify({
    error: { message: 'no run 9', hint: 'See all runs.', code: 'not_found', field: 'id' },
  });
  expect(errorOf(404, body)).toMatchObject({
    status: 404,
    message: 'no run 9',
    hint: 'See all runs.',
    code: 'not_found',
    field: 'id',
    passing: false,
  });
});

test.each(['', 'null', '<html>Bad gateway</html>', '{"error":"text"}'])(
  'an answer of something else: %s',
  (body) => {
    expect(errorOf(502, body)).toMatchObject({ message: 'The server answered 502.', passing: true });
  },
);

test('no answer may be one the next time', () => {
  expect(noAnswer().passing).toBe(true);
});
