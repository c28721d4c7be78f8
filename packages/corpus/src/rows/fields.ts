import { UserError } from '@tocsin/core';

/** The field names of a row's parts. */
export interface CorpusFields {
  text: string;
  prompt: string;
  response: string;
  /** An agent's chat messages, scored by trajectory guards. */
  messages: string;
  /** The agent's tools. Only read in rows with messages. */
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

/** Field names by role; roles without a name are not read. */
export type FieldLookup = { readonly [Role in keyof CorpusFields]: string | undefined };

/**
 * Completes the given names with defaults. Given names win over defaults: with `{ text: 'prompt' }` the field "prompt"
 * is the text, and rows have no prompt. @throws UserError when two roles share a name
 */
export function resolveFields(given: Partial<CorpusFields> = {}): FieldLookup {
  const roles = Object.keys(DEFAULT_FIELDS) as (keyof CorpusFields)[];
  const taken = new Map<string, string>();
  for (const role of roles) {
    const name = given[role];
    if (name === undefined) continue;
    const other = taken.get(name);
    if (other !== undefined) {
      throw new UserError(`the field "${name}" cannot be both ${other} and ${role}`, {
        hint: 'Name a different field for each, or omit one of them.',
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
