import { expect, test } from 'vitest';
import { Html, html } from './page.js';

test('text is escaped, in content and in attributes', () => {
  const evil = `<script>alert("x")</script>&'`;
  expect(html`<p title="${evil}">${evil}</p>`.text).toBe(
    '<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;</p>',
  );
});

test('markup is not escaped; lists are joined; undefined is empty', () => {
  expect(html`<ul>${[html`<li>${1}</li>`, new Html('<li>2</li>'), undefined, '<']}</ul>`.text).toBe(
    '<ul><li>1</li><li>2</li>&lt;</ul>',
  );
});
