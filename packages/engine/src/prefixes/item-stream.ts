import { UserError } from '@tocsin/core';
import type { Item, Preparation } from '../items/preparation.js';
import type { PrefixTokens } from './prefix-stream.js';

/** A message as chat APIs have it: `role`, `content`, perhaps `tool_calls`. */
export type ChatMessage = Readonly<Record<string, unknown>>;
/** What is pushed to a stream: a chunk of text to a content guard's, one or more messages to a trajectory guard's. */
export type StreamPiece = string | ChatMessage | readonly ChatMessage[];

/** What a stream's pieces belong to. */
export interface StreamContext {
  /** Content guards: what the streamed text is the response to. */
  prompt?: string;
  /** Trajectory guards: the tools that the agent was given. */
  tools?: readonly unknown[] | string | null;
}

/**
 * An item that grows piece by piece, prepared anew each time: what a piece does to the end of what is before it
 * (blanks that run together, tokens that merge) is as if all had come at once. A piece that is refused is not kept.
 */
export function growingItem(
  preparation: Preparation,
  context: StreamContext,
): (piece: StreamPiece) => Promise<PrefixTokens> {
  const grow = preparation.task === 'content' ? growingText(context) : growingMessages(context);
  return async (piece) => {
    const { item, keep } = grow(piece);
    const [content] = await preparation.contentsOf([item]);
    if (content === undefined) throw new Error('one item gave no content');
    if (content instanceof UserError) throw content;
    keep();
    return content;
  };
}

type Grow = (piece: StreamPiece) => { item: Item; keep: () => void };

function growingText({ prompt, tools }: StreamContext): Grow {
  if (tools != null) throw new UserError('tools were given to a content guard, which scores texts');
  let given = '';
  return (piece) => {
    if (typeof piece !== 'string') {
      throw new UserError(
        `a content guard's stream takes chunks of text (strings), not a value of type ${typeof piece}`,
      );
    }
    const grown = given + piece;
    // A chunk may end in half a character; its other half comes with the next one.
    const whole = endsInHalf(grown) ? grown.slice(0, -1) : grown;
    return {
      item: prompt === undefined ? { text: whole } : { prompt, response: whole },
      keep: () => {
        given = grown;
      },
    };
  };
}

function growingMessages({ prompt, tools }: StreamContext): Grow {
  if (prompt !== undefined) {
    throw new UserError('a prompt was given to a trajectory guard, which scores messages', {
      hint: "Push the prompt as a message of role 'user'.",
    });
  }
  let given: readonly ChatMessage[] = [];
  return (piece) => {
    if (typeof piece === 'string') {
      throw new UserError("a trajectory guard's stream takes messages, not a text");
    }
    const messages = [...given, ...(Array.isArray(piece) ? piece : [piece])];
    return {
      item: { messages, tools },
      keep: () => {
        given = messages;
      },
    };
  };
}

const endsInHalf = (text: string): boolean => /[\ud800-\udbff]$/.test(text);
