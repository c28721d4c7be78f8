import axe from 'axe-core';
import type { Page } from 'playwright-core';

const GRAVE = ['serious', 'critical'];

/**
 * What axe finds on a page that keeps somebody from using it, one line each.
 * @param rules all of them if not given
 */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Given to the page as a debugger does it: its Content-Security-Policy lets no script in otherwise.
  await page.evaluate(axe.source);
  const options = { resultTypes: ['violations'], runOnly: rules };
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => GRAVE.includes(impact ?? ''))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
}
