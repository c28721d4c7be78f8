import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

const WATCH_VIOLATIONS =
  "addEventListener('securitypolicyviolation', (event) => noteViolation(event.violatedDirective))";

/** Minimum characters per line of a word that is broken within a cell. */
const FEWEST_CHARACTERS = 7;
const NARROW_CELLS = String.raw`[...document.querySelectorAll('td, th')].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const narrow = [];
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    if (node.parentElement.closest('.visually-hidden') !== null) continue;
    for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
      // A word may break once at a hyphen or a dash, as it does anywhere.
      if (lines > 2 && word.length / lines < ${FEWEST_CHARACTERS}) narrow.push(lines + ' lines: ' + word);
    }
  }
  return narrow;
})`;

const PATIENCE_MS = 4 * 60_000;

/** An open page with the errors it produced. */
export class Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors, blocked resources, dialogs, and requests to other origins. */
  readonly troubles: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  /** @param url of the server */
  static async begin(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext({
      baseURL: url,
      viewport: { width: 1280, height: 800 },
      timezoneId: 'Europe/Berlin',
      ...options,
    });
    // Longer than a slow machine needs; shorter than a test, so that a failure names what was awaited.
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const visit = new Visit(context, page);
    const note = (trouble: string): void => void visit.troubles.push(trouble);
    page.on('pageerror', (error) => note(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      note(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) note(`request: ${request.url()}`);
    });
    await page.exposeFunction('noteViolation', (directive: string) => note(`violation of ${directive}`));
    await page.addInitScript({ content: WATCH_VIOLATIONS });
    return visit;
  }

  /** Horizontal overflow of the page, in pixels. */
  async overflow(): Promise<number> {
    return this.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
  }

  /** How many pixels the page scrolls beyond its content. */
  async beyondContent(): Promise<number> {
    return this.page.evaluate<number>(
      `Math.max(0, Math.floor(document.documentElement.scrollHeight
        - Math.max(innerHeight, document.querySelector('main').getBoundingClientRect().bottom + scrollY)))`,
    );
  }

  /** Words in table cells that are broken into lines of a few characters. */
  async narrowCells(): Promise<string[]> {
    return this.page.evaluate<string[]>(NARROW_CELLS);
  }

  async end(): Promise<void> {
    await this.context.close();
  }
}

/** Without the sandbox, which root cannot have; without shared memory, which is small in containers. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
