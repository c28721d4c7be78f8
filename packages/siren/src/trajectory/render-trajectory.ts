import { UserError } from '@tocsin/core';
import { chatMessages } from './chat-messages.js';
import type { ChatTemplate } from './chat-template.js';
import { readTrajectory, type TrajectoryInput } from './trajectory-input.js';
import { readConversation } from './turns.js';

/**
 * A trajectory as the one text that a trajectory guard reads (llm-siren `from_openai` and `render`). Nothing is cleaned
 * out of it: roles, turns and schemas are what the guard looks at.
 *
 * @throws UserError naming the place of what cannot be read
 */
export function renderTrajectory(template: ChatTemplate, input: TrajectoryInput): string {
  const { messages, tools } = readTrajectory(input);
  const chat = chatMessages(readConversation(messages), tools);
  if (chat.length === 0) throw new UserError('the trajectory is empty: it has neither messages nor tools');
  const rendered = template.render(chat);
  // No tokenizer defines what an unpaired half of a surrogate pair means, and the reference fails on it.
  if (!rendered.isWellFormed()) {
    throw new UserError('the trajectory holds an unpaired surrogate (half of a character)');
  }
  return rendered;
}
