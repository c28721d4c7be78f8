import fc from 'fast-check';
import { hostileNumber, hostileText, hostileValue } from './hostile.js';

/** What of JSON Schema the OpenAPI document has. */
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

/** What `$ref`s stand for. */
export type Schemas = Record<string, Schema>;

const MAX_DEPTH = 6;
/** One part of so many is not what the schema asks for. */
const SOUND_PARTS = 24;

/** Values that the schema describes, most of them with a part that it does not. */
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

/** Most of them such as people write. */
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

/** What stands in the query or the path of an address, where everything is a string. */
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
