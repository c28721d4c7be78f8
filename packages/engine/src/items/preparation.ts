import { readFile } from 'node:fs/promises';
import { UserError } from '@tocsin/core';
import {
  type ChatFormat,
  ChatTemplate,
  type ContentInput,
  cleanText,
  contentHash,
  renderTrajectory,
  type Task,
  type TrajectoryInput,
  textOf,
} from '@tocsin/siren';
import type { OpenGuard } from '../compiled/open-guard.js';
import { type TokenizedText, Tokenizer } from './tokenizer.js';

/** The tokens of an item that the model sees, and their hash. */
export interface Content {
  tokenIds: Int32Array;
  /** sha256 of the ids, 32 bytes. */
  hash: Buffer;
  truncated: boolean;
}

/** An item to score: a text, a prompt and/or the response to it, or an agent's trajectory. A string is a text. */
export type Item = string | ContentInput | TrajectoryInput;

/**
 * Prepares items for the forward pass. A content guard's texts are cleaned and truncated on the right; a trajectory
 * guard's conversations are rendered, not cleaned, and lose their middle.
 */
export class Preparation {
  readonly task: Task;
  readonly tokenizer: Tokenizer;
  readonly #textOf: (item: Item) => string;
  readonly #encode: (texts: string[]) => Promise<TokenizedText[]>;

  private constructor(
    task: Task,
    tokenizer: Tokenizer,
    textOf: (item: Item) => string,
    encode: (texts: string[]) => Promise<TokenizedText[]>,
  ) {
    this.task = task;
    this.tokenizer = tokenizer;
    this.#textOf = textOf;
    this.#encode = encode;
  }

  static async open({ artifact, compiled }: OpenGuard): Promise<Preparation> {
    const { task, maxLength } = artifact;
    const tokenizer = await Tokenizer.open(compiled.tokenizerFile, maxLength);
    if (task === 'content') {
      const encode = (texts: string[]): Promise<TokenizedText[]> => tokenizer.encode(texts);
      return new Preparation(task, tokenizer, cleanedText, encode);
    }
    const format = JSON.parse(await readFile(compiled.chatFormatFile, 'utf8')) as ChatFormat;
    const template = new ChatTemplate(format);
    const render = (item: Item): string => renderTrajectory(template, requireTrajectory(item));
    return new Preparation(task, tokenizer, render, (texts) => tokenizer.encodeEnds(texts));
  }

  /**
   * The text to tokenize: cleaned, or rendered.
   * @throws UserError for an item that cannot be scored, or not by this kind of guard
   */
  textOf(item: Item): string {
    return this.#textOf(item);
  }

  /** The contents of texts from `textOf`, in order. */
  tokenize(texts: string[]): Promise<TokenizedText[]> {
    return this.#encode(texts);
  }

  /** A content or an error for each item, in order. One bad item never affects another. */
  contentsOf(items: readonly Item[]): Promise<(Content | UserError)[]> {
    return this.contentsOfTexts(items.map((item) => userErrorOr(() => this.textOf(item))));
  }

  /** Like `contentsOf`, of texts as `textOf` gives them. An error stays in its place. */
  async contentsOfTexts(texts: readonly (string | UserError)[]): Promise<(Content | UserError)[]> {
    const tokenized = (await this.tokenize(texts.filter((text) => typeof text === 'string'))).values();
    return texts.map((text) => {
      if (typeof text !== 'string') return text;
      const { value } = tokenized.next();
      if (value === undefined) throw new Error('a text was not tokenized');
      // The reference fails too: there is no token to read.
      if (value.tokenIds.length === 0)
        return new UserError('nothing is left to score: the text has no tokens');
      return { ...value, hash: contentHash(value.tokenIds) };
    });
  }
}

function userErrorOr(textOf: () => string): string | UserError {
  try {
    return textOf();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const isTrajectory = (item: Item): item is TrajectoryInput =>
  typeof item === 'object' && item !== null && 'messages' in item && item.messages != null;

function cleanedText(item: Item): string {
  if (isTrajectory(item)) {
    throw new UserError('a content guard scores texts, not trajectories: messages were given', {
      hint: 'Score messages with a trajectory guard (an artifact of task "trajectory").',
    });
  }
  return cleanText(textOf(typeof item === 'string' ? { text: item } : item));
}

/** A trajectory guard would score a text too, but was never fitted on texts. */
function requireTrajectory(item: Item): TrajectoryInput {
  if (!isTrajectory(item)) {
    throw new UserError('a trajectory guard scores messages (and tools), not a text', {
      hint: 'Score texts with a content guard.',
    });
  }
  // JavaScript callers can pass both.
  const { text, prompt, response }: { text?: unknown; prompt?: unknown; response?: unknown } = item;
  if (text != null || prompt != null || response != null) {
    throw new UserError('messages and a text were given together; give one or the other');
  }
  return item;
}
