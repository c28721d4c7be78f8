import { pythonStrip } from '../text/python-strip.js';
import type { JsonValue } from './json-value.js';
import { toolsBlock } from './tools-block.js';
import type { Conversation, Turn } from './turns.js';

/** What a chat template gets. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * A conversation as messages for a chat template (llm-siren `trace_to_messages` with `rich_tools`): profile and tools in
 * the system message, observations as the user's, neighbours of one role merged.
 */
export function chatMessages({ profile, turns }: Conversation, tools: readonly JsonValue[]): ChatMessage[] {
  const system = [...(profile === '' ? [] : [profile]), ...(tools.length === 0 ? [] : [toolsBlock(tools)])];
  const messages: ChatMessage[] =
    system.length === 0 ? [] : [{ role: 'system', content: system.join('\n\n') }];
  for (const turn of turns) {
    const message = messageOf(turn);
    const last = messages.at(-1);
    if (last?.role === message.role) last.content = pythonStrip(`${last.content}\n${message.content}`);
    else messages.push(message);
  }
  return messages;
}

function messageOf(turn: Turn): ChatMessage {
  switch (turn.role) {
    case 'user':
      return { role: 'user', content: turn.content };
    case 'environment':
      return { role: 'user', content: `[Observation] ${turn.content}` };
    case 'agent':
      return { role: 'assistant', content: 'action' in turn ? stepOf(turn) : turn.content };
  }
}

function stepOf({ thought, action }: { thought: string; action: string }): string {
  return `${thought === '' ? '' : `Thought: ${pythonStrip(thought)}\n`}Action: ${action}`;
}

/** The system message put before the first user message, for templates that know no system role (`_fold_system`). */
export function foldSystem(messages: readonly ChatMessage[]): ChatMessage[] {
  const [system, ...rest] = messages;
  if (system?.role !== 'system') return [...messages];
  const first = rest.findIndex(({ role }) => role === 'user');
  if (first < 0) return [{ role: 'user', content: system.content }, ...rest];
  return rest.map((message, i) =>
    i === first ? { role: 'user', content: `${system.content}\n\n${message.content}` } : message,
  );
}
