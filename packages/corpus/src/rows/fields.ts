import { UserError } from '@tocsin/core';

/** The names of the fields that a row keeps its parts in. */
export interface CorpusFields {
  text: string;
  prompt: string;
  response: string;
  /** An agent's chat messages: what trajectory guards score. */
  messages: string;
  /** The tools that the agent was given. Looked for in rows with messages only. */
  tools: string;
  id: string;
}

export const DEFAULT_FIELDS = {
  text: 'text',
  prompt: 'prompt',
  response: 'response',
  messages: 'messages',
  tools: 'tools',
  id: 'id',
} as const satisfies CorpusFields;

/** The names to look for; a role without a name is not looked for. */
export type FieldLookup = { readonly [Role in keyof CorpusFields]: string | undefined };

/**
 * Complete the given names with the defaults. A name that was given wins over a default: with `{ text: 'prompt' }`
 * the field "prompt" is the text, and no row has a prompt. Throws a `UserError` when two roles are given one name.
 */
export function resolveFields(given: Partial<CorpusFields> = {}): FieldLookup {
  const roles = Object.keys(DEFAULT_FIELDS) as (keyof CorpusFields)[];
  const taken = new Map<string, string>();
  for (const role of roles) {
    const name = given[role];
    if (name === undefined) continue;
    const other = taken.get(name);
    if (other !== undefined) {
      throw new UserError(`The field "${name}" is named as both ${other} and ${role}.`, {
        hint: 'Name a field of its own for each, or leave one of them out.',
      });
    }
    taken.set(name, role);
  }
  const lookup = (role: keyof CorpusFields): string | undefined =>
    given[role] ?? (taken.has(DEFAULT_FIELDS[role]) ? undefined : DEFAULT_FIELDS[role]);
  return {
    text: lookup('text'),
    prompt: lookup('prompt'),
    response: lookup('response'),
    messages: lookup('messages'),
    tools: lookup('tools'),
    id: lookup('id'),
  };
}
