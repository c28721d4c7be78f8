import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { messageOf, UserError } from '@tocsin/errors';
import type { ChatFormat } from './chat-format.js';
import { type ChatMessage, foldSystem } from './chat-messages.js';
import { definePythonStrips, usePythonStrips } from './python-methods.js';

/** The template itself says no, with `raise_exception`. */
class TemplateRefusal extends Error {}

/** A backbone's chat template, rendering as transformers' `apply_chat_template` does. */
export class ChatTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #specialTokens: Record<string, string>;

  /** @throws UserError for a template that is no Jinja, or more of it than is built */
  constructor({ template, specialTokens }: ChatFormat) {
    try {
      // Jinja takes every line end for a newline. Block trimming is how transformers sets it.
      const source = template.replace(/\r\n?/g, '\n');
      this.#program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
    } catch (error) {
      throw new UserError(`the chat template cannot be read: ${messageOf(error)}`, { cause: error });
    }
    usePythonStrips(this.#program);
    this.#specialTokens = specialTokens;
  }

  /**
   * The conversation as the backbone reads it. A template that refuses a system message gets it in the first user
   * message instead (llm-siren `render`).
   * @throws UserError when the template refuses that too, or fails
   */
  render(messages: readonly ChatMessage[]): string {
    try {
      return this.#apply(messages);
    } catch (error) {
      // The reference tries again after whatever error. One that is no refusal is ours or the library's: it must show.
      if (!(error instanceof TemplateRefusal)) throw failed(error);
    }
    try {
      return this.#apply(foldSystem(messages));
    } catch (error) {
      throw failed(error);
    }
  }

  #apply(messages: readonly ChatMessage[]): string {
    const environment = new Environment();
    const variables = {
      ...this.#specialTokens,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: false,
    };
    // transformers has strftime_now too. It is left out, so that a score does not depend on the day: a template that
    // asks whether it is defined (Llama 3.2) then takes the date that it was trained with.
    const globals = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      range,
      raise_exception: (message: unknown): never => {
        throw new TemplateRefusal(String(message));
      },
    };
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    definePythonStrips(environment);
    return String(new Interpreter(environment).run(this.#program).value);
  }
}

function failed(error: unknown): UserError {
  const what = error instanceof TemplateRefusal ? 'refuses the conversation' : 'fails on the conversation';
  return new UserError(`the backbone's chat template ${what}: ${messageOf(error)}`, { cause: error });
}

/** Python's `range(stop)` and `range(start, stop, step)`. */
function range(...bounds: number[]): number[] {
  const [start = 0, stop = 0, step = 1] = bounds.length === 1 ? [0, ...bounds] : bounds;
  const length = step === 0 ? 0 : Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, i) => start + i * step);
}
