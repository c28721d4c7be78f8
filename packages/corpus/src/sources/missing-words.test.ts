import { expect, test } from 'vitest';
import { MissingWords } from './missing-words.js';

const place = { kind: 'item', key: 'k', file: 'a.csv' } as const;

test('rows whose text is a word for a missing value are counted', () => {
  const words = new MissingWords();
  const texts = ['nan', 'a text', 'None', 'nan', 'null and void', ''];
  for (const [i, text] of texts.entries())
    words.see({ ...place, seq: i + 1, line: i + 2, content: { text } });
  words.see({ ...place, seq: 9, line: 9, content: { prompt: 'Why?', response: 'NaN' } });
  expect(words.notice).toMatch(
    /^4 rows have a text that is only "nan", "None", "NaN" \(first: line 2\), scored as written\. .*dropna/,
  );
});

test('without one there is no notice', () => {
  const words = new MissingWords();
  words.see({ ...place, seq: 1, line: 2, content: { text: 'none of it' } });
  expect(words.notice).toBeUndefined();
});
