import type { JSX } from 'preact';
import { Dialog } from '../ui/dialog.js';
import { VERDICTS } from './verdicts.js';

const KEYS: readonly [key: string, does: string][] = [
  ...VERDICTS.map(({ key, label }): [string, string] => [key, label]),
  ['u', 'Take the last verdict back'],
  ['n', 'Write a note to the row'],
  ['t', 'Heat map on or off'],
  ['b', 'Show a blurred text'],
  ['?', 'This list'],
];

/** What the keys do. */
export function KeysDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="key-list">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="small soft">
        The row that you see is yours for ten minutes: nobody else gets it. Leave the page, and it goes back.
      </p>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
