/** What waits of one client: taken from the front, in the order in which it came. */
interface Line<T> {
  things: T[];
  /** Where its front is. */
  at: number;
}

/** Things of many clients, taken in turns: one of each client, then the next of each. Adding and taking cost the same however many wait. */
export class Turns<T> {
  /** In the order of their turns. Clients without a thing have no line. */
  readonly #lines = new Map<string, Line<T>>();

  add(client: string, thing: T): void {
    const line = this.#lines.get(client);
    if (line === undefined) this.#lines.set(client, { things: [thing], at: 0 });
    else line.things.push(thing);
  }

  /** The next thing, of whichever client's turn it is; undefined when nothing waits. */
  take(): T | undefined {
    const [next] = this.#lines;
    if (next === undefined) return undefined;
    const [client, line] = next;
    const thing = line.things[line.at++];
    // To the end of the round.
    this.#lines.delete(client);
    if (line.at < line.things.length) this.#lines.set(client, shortened(line));
    return thing;
  }
}

/** Moves what is left to the front of the array once that is at most half of it: so each thing is moved once on average. */
function shortened<T>(line: Line<T>): Line<T> {
  return line.at * 2 < line.things.length ? line : { things: line.things.slice(line.at), at: 0 };
}
