import fc from 'fast-check';
import { asText, nearExamples, type Schema, type Schemas, valuesOf } from './examples.js';
import { hostileBody, hostileText } from './hostile.js';

interface Operation {
  'x-roles'?: AskerName[];
  parameters?: {
    in: 'path' | 'query' | 'header' | 'cookie';
    name: string;
    schema: Schema;
    required?: boolean;
  }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

/** The OpenAPI document. */
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Schemas };
}

/** Callers by name; a stranger sends no key, a liar an invalid one. */
export type AskerName = 'submit' | 'read' | 'review' | 'admin' | 'stranger' | 'liar';

export interface FuzzRequest {
  asker: AskerName;
  method: string;
  /** The raw bytes: ASCII. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
  /** Drops: in pieces. Half: the client disconnects before the end. */
  pace: Pace;
}

/** How a client sends its body. */
type Pace = 'at once' | 'in drops' | 'half';

/** Existing values for path and query parameters. */
export type Known = Record<string, readonly string[]>;

const ASKERS: fc.Arbitrary<AskerName> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('submit' as const) },
  { weight: 2, arbitrary: fc.constant('read' as const) },
  { weight: 2, arbitrary: fc.constant('review' as const) },
  { weight: 2, arbitrary: fc.constant('admin' as const) },
  { weight: 1, arbitrary: fc.constant('stranger' as const) },
  { weight: 1, arbitrary: fc.constant('liar' as const) },
);

/** Half of the callers have permission. */
function askersOf({ 'x-roles': roles = [] }: Operation): fc.Arbitrary<AskerName> {
  return roles.length === 0 ? ASKERS : fc.oneof(ASKERS, fc.constantFrom(...roles));
}

/** Requests to the document's routes: some valid, most with one error. */
export function requestsOf(document: ApiDocument, known: Known): fc.Arbitrary<FuzzRequest> {
  const schemas = document.components?.schemas ?? {};
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
  return fc.oneof(
    ...routes.map(({ path, method, operation }) =>
      fc
        .record({
          asker: askersOf(operation),
          method: fc.oneof(
            { weight: 15, arbitrary: fc.constant(method) },
            {
              weight: 1,
              arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
            },
          ),
          path: pathsOf(path, operation, schemas, known),
          query: queriesOf(operation, schemas, known),
          headers: headers(),
          body: bodiesOf(`${method} ${path}`, operation, schemas),
          pace: fc.oneof(
            { weight: 20, arbitrary: fc.constant('at once' as const) },
            { weight: 1, arbitrary: fc.constantFrom('in drops' as const, 'half' as const) },
          ),
        })
        .map(({ query, headers: more, body, ...request }): FuzzRequest => {
          const sent = harmless({ ...request, path: `${request.path}${query}`.slice(0, LONGEST_PATH) });
          return {
            ...sent,
            headers: { ...more, ...body.headers },
            body: sent.method === 'GET' || sent.method === 'HEAD' ? undefined : body.bytes,
          };
        }),
    ),
  );
}

/** An administrator could delete the other resources, which would hide leaks. */
function harmless<Sent extends { asker: AskerName; method: string }>(request: Sent): Sent {
  return request.asker === 'admin' && request.method === 'DELETE' ? { ...request, asker: 'submit' } : request;
}

/** Node itself rejects headers of more than 16 KiB, before any route. */
const LONGEST_PATH = 8_000;
const TRICKS = [
  '/',
  '//',
  '/..',
  '/../../',
  '/%2e%2e/%2e%2e/',
  '/.',
  ';a=b',
  '%00',
  '%',
  '%ff',
  '%2f',
  '?',
  '??',
  '#',
  '/__proto__',
  '.json',
];

function pathsOf(
  path: string,
  { parameters = [] }: Operation,
  schemas: Schemas,
  known: Known,
): fc.Arbitrary<string> {
  const parts = path.split(/(\{[^}]*\})/).map((part) => {
    const name = /^\{(.*)\}$/.exec(part)?.[1];
    if (name === undefined) return fc.constant(part);
    const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
    return fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...knownOf(known, path, name)) },
      { weight: 3, arbitrary: asText(parameter?.schema ?? {}, schemas).map(encoded) },
      { weight: 1, arbitrary: hostileText.map(encoded) },
    );
  });
  return fc
    .tuple(
      fc.tuple(...parts),
      fc.oneof(
        { weight: 20, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom(...TRICKS) },
      ),
    )
    .map(([all, trick]) => `${all.join('')}${trick}`);
}

/** `/api/runs/{id}` and `/v1/files/{id}` have different ids: prefer the longest matching path. */
function knownOf(known: Known, path: string, name: string): readonly string[] {
  const keys = Object.keys(known).filter(
    (key) => path.includes(key.split(' ')[0] ?? '') && key.endsWith(` ${name}`),
  );
  const values = keys.flatMap((key) => known[key] ?? []);
  return values.length > 0 ? values : ['none'];
}

function queriesOf({ parameters = [] }: Operation, schemas: Schemas, known: Known): fc.Arbitrary<string> {
  const asked = parameters.filter((parameter) => parameter.in === 'query');
  const given = asked.map(({ name, schema, required }) => {
    const values =
      name === 'cursor' || name === 'after'
        ? cursors()
        : fc.oneof(
            { weight: 3, arbitrary: asText(schema, schemas) },
            { weight: 2, arbitrary: fc.constantFrom(...(known[`? ${name}`] ?? ['1'])) },
          );
    const sent = values.map((value) => `${name}=${encoded(value)}`);
    return required === true
      ? fc.oneof({ weight: 9, arbitrary: sent }, { weight: 1, arbitrary: fc.constant('') })
      : fc.oneof(sent, fc.constant(''));
  });
  const surprise = fc.oneof(
    { weight: 12, arbitrary: fc.constant('') },
    {
      weight: 1,
      arbitrary: fc
        .tuple(hostileText, hostileText)
        .map(([name, value]) => `${encoded(name)}=${encoded(value)}`),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'limit=1&limit=2',
        'a[]=1',
        'a[b]=c',
        '__proto__=1',
        '=',
        '&&',
        'limit',
        '%',
        'q=%ff%fe',
      ),
    },
  );
  return fc.tuple(...given, surprise).map((all) => {
    const parts = all.filter((part) => part !== '');
    return parts.length === 0 ? '' : `?${parts.join('&')}`;
  });
}

/** Some have a valid format. */
function cursors(): fc.Arbitrary<string> {
  const places = fc.oneof(
    fc.integer(),
    fc.record({ seq: fc.double(), score: fc.double() }),
    fc.jsonValue(),
    fc.record({ seq: fc.nat(50), score: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  return fc.oneof(
    places.map((place) => Buffer.from(JSON.stringify(place)).toString('base64url')),
    hostileText,
  );
}

function headers(): fc.Arbitrary<Record<string, string>> {
  const some = fc.constantFrom<Record<string, string>>(
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' },
    { 'sec-fetch-site': '\u00ff', referer: 'http://evil.example/' },
    { referer: 'http://evil.example:99999/' },
    { host: '' },
    { host: 'localhost.evil.example' },
    { host: '127.0.0.1@evil.example' },
    { host: '[::1' },
    { host: 'a'.repeat(4_000) },
    { forwarded: 'for=127.0.0.1;host=evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'javascript' },
    { 'access-control-request-method': 'POST', origin: 'https://evil.example' },
    { authorization: `Bearer tcs_${'-'.repeat(43)}` },
    { authorization: `Bearer ${'a'.repeat(6_000)}` },
    { cookie: `tocsin_session=${'_'.repeat(43)}` },
    { cookie: 'tocsin_session=%ff%00; tocsin_session=a' },
    { connection: 'upgrade', upgrade: 'websocket' },
    { host: 'evil.example' },
    { cookie: 'tocsin_session=AAAA' },
    { cookie: `tocsin_session=${'a'.repeat(4_000)}; =; a` },
    { 'x-forwarded-for': '127.0.0.1' },
    { accept: 'text/html' },
    { accept: 'application/xml' },
    { range: 'bytes=0-99999999999' },
    { 'accept-encoding': 'gzip;q=2' },
    { 'x-http-method-override': 'DELETE' },
    { 'if-none-match': '*' },
    { 'last-event-id': 'x' },
    { authorization: 'Basic YWRtaW46YWRtaW4=' },
    { authorization: 'Bearer' },
  );
  return fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: some });
}

interface SentBody {
  headers: Record<string, string>;
  bytes: Buffer | undefined;
}

function bodiesOf(route: string, { requestBody }: Operation, schemas: Schemas): fc.Arbitrary<SentBody> {
  const [type = '', { schema } = { schema: {} }] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const nothing = fc.constant<SentBody>({ headers: {}, bytes: undefined });
  const types = fc.constantFrom(
    'application/json',
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    `multipart/form-data; boundary=${'b'.repeat(300)}`,
    'application/json; charset=utf-16',
    'nonsense',
  );
  const hostile = fc
    .tuple(types, hostileBody)
    .map(([contentType, bytes]) => ({ headers: { 'content-type': contentType }, bytes }));
  if (requestBody === undefined)
    return fc.oneof({ weight: 4, arbitrary: nothing }, { weight: 1, arbitrary: hostile });
  const near = nearExamples(route);
  const values = near === undefined ? valuesOf(schema, schemas) : fc.oneof(near, valuesOf(schema, schemas));
  const sound = type.startsWith('multipart/') ? values.map(asForm) : values.map(asJson);
  return fc.oneof(
    { weight: 6, arbitrary: sound },
    { weight: 1, arbitrary: hostile },
    { weight: 1, arbitrary: nothing },
  );
}

const asJson = (value: unknown): SentBody => ({
  headers: { 'content-type': 'application/json' },
  bytes: Buffer.from(JSON.stringify(value) ?? 'null'),
});

function asForm(value: unknown): SentBody {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [['file', value]];
  const parts = fields.map(([name, part]) => {
    const text = typeof part === 'string' ? part : (JSON.stringify(part) ?? '');
    const file = name === 'file' ? '; filename="rows.jsonl"\r\ncontent-type: application/octet-stream' : '';
    return `--limit\r\ncontent-disposition: form-data; name="${String(name)}"${file}\r\n\r\n${text}\r\n`;
  });
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=limit' },
    bytes: Buffer.from(`${parts.join('')}--limit--\r\n`),
  };
}

/** Percent-encoded, including lone surrogates, which clients cannot send otherwise. */
function encoded(text: string): string {
  return [...Buffer.from(text.slice(0, 5_000))]
    .map((byte) =>
      /[\w.~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}
