import fc from 'fast-check';
import { hostileNumber, hostileText, hostileValue } from './hostile.js';

/** Valid bodies for the routes, with existing ids. */
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

/** A valid body for the route, or one with a single error; undefined for a route without a body. */
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

/** The subset of JSON Schema in the OpenAPI document. */
export interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  pattern?: string;
  format?: string;
}

/** Resolves `$ref`s. */
export type Schemas = Record<string, Schema>;

const MAX_DEPTH = 6;
/** One part in this many violates the schema. */
const SOUND_PARTS = 24;

/** Values for the schema, most of them with one invalid part. */
export function valuesOf(schema: Schema, schemas: Schemas, depth = 0): fc.Arbitrary<unknown> {
  if (depth > MAX_DEPTH) return hostileValue;
  return fc.oneof(
    { weight: SOUND_PARTS, arbitrary: soundValues(schema, schemas, depth) },
    { weight: 1, arbitrary: hostileValue },
  );
}

function soundValues(schema: Schema, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    return valuesOf(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas, depth + 1);
  }
  const { enum: among, anyOf, oneOf, allOf } = schema;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (among !== undefined) return fc.constantFrom(...among);
  const either = anyOf ?? oneOf ?? allOf;
  if (either !== undefined) return fc.oneof(...either.map((one) => valuesOf(one, schemas, depth)));
  switch (schema.type) {
    case 'string':
      return texts(schema);
    case 'integer':
      return fc.integer(boundsOf(schema));
    case 'number':
      return numbers(schema);
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 4 } = schema;
      const values = valuesOf(items, schemas, depth + 1);
      return fc.array(values, { minLength: Math.min(minItems, 4), maxLength: Math.min(maxItems, 4) });
    }
    case 'object':
      return objects(schema, schemas, depth);
    default:
      return hostileValue;
  }
}

function objects(schema: Schema, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const known = Object.entries(properties).map(([name, part]) => [name, valuesOf(part, schemas, depth + 1)]);
  const record = fc.record(Object.fromEntries(known) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: required.filter((name) => name in properties),
  });
  const others =
    typeof additionalProperties === 'object'
      ? valuesOf(additionalProperties, schemas, depth + 1)
      : hostileValue;
  const often = typeof additionalProperties === 'object' ? 1 : SOUND_PARTS;
  return fc.oneof(
    { weight: often, arbitrary: record },
    {
      weight: 1,
      arbitrary: fc
        .tuple(record, fc.dictionary(hostileText, others, { maxKeys: 2 }))
        .map(([one, more]) => ({ ...one, ...more })),
    },
  );
}

const WORDS = ['tea', 'a cup of tea', 'How do I bake bread?', 'starter', 'default', 'x'];

function texts({ format, pattern, minLength = 0, maxLength = 100 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  const fitting = fc.constantFrom(
    ...WORDS.filter(({ length }) => length >= minLength && length <= maxLength),
    'x',
  );
  if (pattern !== undefined) {
    return fc.oneof(fitting, fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, 80) }));
  }
  return fc.oneof(
    { weight: 3, arbitrary: fitting },
    {
      weight: 1,
      arbitrary: fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 200)) }),
    },
  );
}

/** Most of them are typical user input. */
function numbers(schema: Schema): fc.Arbitrary<number> {
  const { min = 0, max = 1 } = boundsOf(schema);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.integer({ min: 0, max: 100 }).map((part) => min + ((max - min) * part) / 100),
    },
    { weight: 1, arbitrary: fc.double({ min, max, noNaN: true, noDefaultInfinity: true }) },
  );
}

function boundsOf({ minimum, maximum, exclusiveMinimum }: Schema): { min?: number; max?: number } {
  const min = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  return {
    ...(min !== undefined && { min: Math.max(min, -(2 ** 31)) }),
    ...(maximum !== undefined && { max: Math.min(maximum, 2 ** 31 - 1) }),
  };
}

/** Values for the query or path of a URL, as strings. */
export function asText(schema: Schema, schemas: Schemas): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: valuesOf(schema, schemas).map((value) =>
        typeof value === 'string' ? value : JSON.stringify(value),
      ),
    },
    { weight: 1, arbitrary: hostileText },
    { weight: 1, arbitrary: hostileNumber.map(String) },
  );
}
