import { pythonStrip } from '../text/python-strip.js';
import { quotedWord, wrongKind } from './fault.js';
import { isTruthy, type JsonObject, type JsonValue } from './json-value.js';
import { pythonRepr, pythonStr } from './python-repr.js';

/**
 * The tools that an agent has, spelled out for the system message: every parameter with its type, default and
 * description (llm-siren `_tools_block` with `rich`). A tool is an OpenAI function tool, or the function itself.
 *
 * @throws UserError naming the tool (counted from 0) and the field, where the reference would fail too
 */
export function toolsBlock(tools: readonly JsonValue[]): string {
  return ['# Available tools', ...tools.map((tool, i) => toolLines(tool, `tool ${i}`))].join('\n');
}

function toolLines(tool: JsonValue, place: string): string {
  if (!(tool instanceof Map)) throw wrongKind(place, tool, 'an object');
  const inner = tool.get('function');
  const schema = inner instanceof Map ? inner : tool;
  const name = schema.has('name') ? pythonStr(schema.get('name') ?? null) : '?';
  const description = stripped(schema, 'description', place);
  const prototype = schema.get('prototype');
  const parameters = parameterLines(schema.get('parameters'), `${place}: parameters`);
  return [
    `- ${name}: ${description}`,
    ...(isTruthy(prototype) ? [`  signature: ${pythonStr(prototype)}`] : []),
    ...(parameters.length > 0 ? ['  parameters:', ...parameters] : []),
  ].join('\n');
}

/** `parameters` is a JSON schema with `properties`, or the properties themselves. What is no object in it is left out. */
function parameterLines(parameters: JsonValue | undefined, place: string): string[] {
  if (!(parameters instanceof Map)) return [];
  const properties = parameters.get('properties');
  const flat = properties instanceof Map ? properties : parameters;
  return [...flat].flatMap(([name, schema], i) => {
    if (!(schema instanceof Map)) return [];
    return [parameterLine(name, schema, `${place}, ${quotedWord(name) ?? `parameter ${i}`}`)];
  });
}

function parameterLine(name: string, schema: JsonObject, place: string): string {
  const type = schema.get('type');
  const facts: string[] = [];
  if (isTruthy(type)) {
    if (typeof type !== 'string') throw wrongKind(`${place}: type`, type, 'a string');
    facts.push(type);
  }
  const byDefault = schema.get('default') ?? null;
  if (byDefault !== null) facts.push(`default ${pythonRepr(byDefault)}`);
  const description = stripped(schema, 'description', place);
  return `  - ${name}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}${description === '' ? '' : `: ${description}`}`;
}

function stripped(schema: JsonObject, field: string, place: string): string {
  const text = schema.get(field);
  if (!isTruthy(text)) return '';
  if (typeof text !== 'string') throw wrongKind(`${place}: ${field}`, text, 'a string');
  return pythonStrip(text);
}
