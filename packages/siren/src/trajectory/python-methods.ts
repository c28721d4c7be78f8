import type { Environment, parse } from '@huggingface/jinja';
import { UserError } from '@tocsin/core';
import { pythonLstrip, pythonRstrip, pythonStrip } from '../text/python-strip.js';

type Program = ReturnType<typeof parse>;
type Node = Record<string, unknown> & { type: string };
type Strip = (text: string, characters?: string) => string;

/** Names that no template variable can have. */
const STRIPS: ReadonlyMap<string, [name: string, strip: Strip]> = new Map([
  ['strip', ['str.strip', pythonStrip]],
  ['lstrip', ['str.lstrip', pythonLstrip]],
  ['rstrip', ['str.rstrip', pythonRstrip]],
  ['trim', ['str.strip', pythonStrip]],
]);

/**
 * Makes a parsed template strip as Python does. The library's `strip`, `lstrip`, `rstrip` and `trim` ignore the
 * characters argument (which Qwen3's template uses) and define white space differently. So each such call is rewritten
 * to one of our functions: `x.lstrip('\n')` is `str.lstrip(x, '\n')`, `x | trim` is `str.strip(x)`.
 */
export function usePythonStrips(program: Program): void {
  visit(program.body);
}

/** The functions that `usePythonStrips` calls. */
export function definePythonStrips(environment: Environment): void {
  for (const [method, [name, strip]] of STRIPS) {
    if (method === 'trim') continue;
    environment.set(name, (text: unknown, characters?: unknown) => {
      if (typeof text !== 'string') throw new Error(`${method}() of something that is no string`);
      if (characters === undefined || characters === null) return strip(text);
      if (typeof characters !== 'string') throw new Error(`${method}() requires a string`);
      return strip(text, characters);
    });
  }
}

function visit(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if (isNode(node)) rewrite(node);
  const children = node instanceof Map ? [...node].flat() : Object.values(node);
  for (const child of children) visit(child);
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

function rewrite(node: Node): void {
  if (node.type === 'FilterExpression') {
    const { name, args } = called(node.filter);
    if (name === 'trim') becomeCall(node, node.filter, 'trim', [node.operand, ...args]);
  } else if (node.type === 'CallExpression' && isNode(node.callee)) {
    const { callee } = node;
    if (callee.type !== 'MemberExpression' || callee.computed === true) return;
    const { name = '' } = called(callee.property);
    if (name !== 'trim' && STRIPS.has(name)) {
      becomeCall(node, callee.property, name, [callee.object, ...(node.args as unknown[])]);
    }
  } else if (node.type === 'FilterStatement' && called(node.filter).name === 'trim') {
    throw new UserError('the chat template has a {% filter trim %} block, which is not supported');
  }
}

/** What a filter or a property names: an identifier, or a call of one. */
function called(node: unknown): { name: string | undefined; args: unknown[] } {
  if (!isNode(node)) return { name: undefined, args: [] };
  if (node.type === 'Identifier') return { name: node.value as string, args: [] };
  if (node.type === 'CallExpression') return { name: called(node.callee).name, args: node.args as unknown[] };
  return { name: undefined, args: [] };
}

/** Changes a node in place and keeps its class, which the library checks for some nodes. */
function becomeCall(node: Node, like: unknown, method: string, args: unknown[]): void {
  const [name] = STRIPS.get(method) ?? [method];
  const identifier = Object.assign(Object.create(Object.getPrototypeOf(like)), {
    type: 'Identifier',
    value: name,
  });
  Object.assign(node, { type: 'CallExpression', callee: identifier, args });
}
