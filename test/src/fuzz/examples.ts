import fc from 'fast-check';
import { hostileText, hostileValue } from './hostile.js';

/** Bodies that the routes take, by the ids of what is there. */
const EXAMPLES: Record<string, readonly object[]> = {
  'POST /api/score': [
    { text: 'a cup of tea' },
    { prompt: 'Tea?', response: 'Milk.', policy: 'strict' },
    { items: [{ text: 'one' }, { messages: [{ role: 'user', content: 'two' }] }], threshold: 0.25 },
  ],
  'POST /api/trace': [{ text: 'a cup of tea', threshold: 0.5 }],
  'POST /api/streams': [{ prompt: 'Tea?' }],
  'POST /api/streams/{id}/chunks': [{ chunk: 'with milk' }],
  'POST /api/runs': [{ name: 'rows', retain: 'all', rows: [{ id: 'a', text: 'one' }, { text: 'two' }] }],
  'POST /api/runs/upload': [{ name: 'file', threshold: '0.5', file: '{"text":"one"}\n{"text":"two"}\n' }],
  'POST /api/policies': [{ name: 'mine', threshold: 0.25, meaning: 'words', note: 'why' }],
  'PATCH /api/policies/{name}': [{ threshold: 0.25, note: 'why' }, { archived: true }, { archived: false }],
  'POST /api/reviews/next': [
    { run: 1, order: 'uncertain', threshold: 0.5 },
    { run: 2, order: 'random' },
  ],
  'POST /api/reviews/verdicts': [{ run: 1, seq: 2, verdict: 'harmful', note: 'why' }],
  'POST /api/reviews/undo': [{ run: 1 }],
  'POST /api/reviews/release': [{ run: 1, seq: 2 }],
  'POST /api/keys': [{ name: 'somebody', role: 'submit', expiresInDays: 7 }],
  'POST /api/schedules': [{ name: 'nightly', cron: '0 3 * * *', corpus: ['rows.jsonl'] }],
  'PATCH /api/schedules/{name}': [{ enabled: false }],
  'POST /v1/moderations': [
    { input: 'a cup of tea' },
    { input: ['one', 'two'], model: 'strict' },
    { input: [{ type: 'text', text: 'one' }] },
  ],
  'POST /v1/files': [
    {
      purpose: 'batch',
      file: '{"custom_id":"a","method":"POST","url":"/v1/moderations","body":{"input":"x"}}\n',
    },
  ],
  'POST /v1/batches': [{ input_file_id: 'file-none', endpoint: '/v1/moderations', completion_window: '24h' }],
};

/** A body that the route takes, or one that has a single thing wrong with it; undefined for a route without one. */
export function nearExamples(route: string): fc.Arbitrary<unknown> | undefined {
  const examples = EXAMPLES[route];
  if (examples === undefined) return undefined;
  const sound = fc.constantFrom(...examples);
  const spoiled = fc.tuple(sound, fc.nat(), hostileValue).map(([example, at, value]) => {
    const names = Object.keys(example);
    return { ...example, [names[at % names.length] ?? '']: value };
  });
  const surprised = fc
    .tuple(sound, hostileText, hostileValue)
    .map(([example, name, value]) => ({ ...example, [name]: value }));
  return fc.oneof(
    { weight: 2, arbitrary: sound },
    { weight: 3, arbitrary: spoiled },
    { weight: 1, arbitrary: surprised },
  );
}
