import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

const WATCH_VIOLATIONS =
  "addEventListener('securitypolicyviolation', (event) => noteViolation(event.violatedDirective))";

/** Characters that a line of a cell holds on average, where its text takes more than one. */
const FEWEST_CHARACTERS = 7;
const NARROW_CELLS = `[...document.querySelectorAll('td, th')].flatMap((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 4))).size;
  const text = cell.innerText.trim();
  return lines > 1 && text.length / lines < ${FEWEST_CHARACTERS} ? [lines + ' lines: ' + text] : [];
})`;

const PATIENCE_MS = 4 * 60_000;

/** A page that is looked at, and whatever went wrong in it. */
export class Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors, refused resources, dialogs, and requests to anywhere else. */
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
    // Longer than a slow machine takes; shorter than a test, so that a failure says what was waited for.
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

  /** How many pixels the page is wider than its window. */
  async overflow(): Promise<number> {
    return this.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
  }

  /** How many pixels the page scrolls past the end of what stands on it. */
  async beyondContent(): Promise<number> {
    return this.page.evaluate<number>(
      `Math.max(0, Math.floor(document.documentElement.scrollHeight
        - Math.max(innerHeight, document.querySelector('main').getBoundingClientRect().bottom + scrollY)))`,
    );
  }

  /** Cells of tables whose text is broken into lines of a few characters, with what stands in them. */
  async narrowCells(): Promise<string[]> {
    return this.page.evaluate<string[]>(NARROW_CELLS);
  }

  async end(): Promise<void> {
    await this.context.close();
  }
}
