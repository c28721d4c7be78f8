import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

const WATCH_VIOLATIONS =
  "addEventListener('securitypolicyviolation', (event) => noteViolation(event.violatedDirective))";

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

  async end(): Promise<void> {
    await this.context.close();
  }
}
