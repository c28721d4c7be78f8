import type { StoredContent } from '@tocsin/contract';
import type { JSX } from 'preact';
import { LongText } from './long-text.js';
import { partsOf } from './parts.js';
import { VisibleText } from './visible-text.js';

/** What an item holds: a text, a prompt and its response, or messages. */
export function StoredText({ content }: { content: StoredContent }): JSX.Element {
  const parts = partsOf(content);
  return (
    <div>
      {parts.map(({ name, text }, at) => (
        <div class="part" key={at}>
          {name !== undefined && (
            <h3>
              <VisibleText text={name} />
            </h3>
          )}
          {text === '' ? <p class="faint">Empty</p> : <LongText text={text} />}
        </div>
      ))}
    </div>
  );
}
