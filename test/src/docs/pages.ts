import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Paths in the checkout that match pathspecs, including new files. */
export function filesOf(...pathspecs: string[]): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...pathspecs];
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  return [...new Set(listed)].filter((path) => path !== '' && existsSync(`${ROOT}${path}`)).sort();
}

export interface Page {
  /** Relative to the root, `docs/api.md`. */
  readonly path: string;
  readonly text: string;
  /** The text without the content of code blocks. */
  readonly prose: string;
}

export const pages: readonly Page[] = filesOf('*.md').map(readPage);

export function readPage(path: string): Page {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  return { path, text, prose: text.replace(/^```.*?^```$/gms, '') };
}

/** The anchors that GitHub generates for a page's headings. */
export function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#+ +(.*)$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of links and pictures, except external ones. */
export function linksOf({ prose }: Page): string[] {
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)];
  return targets.map(([, link, attribute]) => link ?? attribute ?? '').filter((to) => !/^[a-z]+:/.test(to));
}

/** Commands in shell blocks and in code spans, as words; a pipeline gives several commands. */
export function commandsOf({ text, prose }: Page): string[][] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) =>
    block.replace(/\\\n\s*/g, ' '),
  );
  const spans = [...prose.matchAll(/`((?:npx |npm run |tocsin )[^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks.flatMap((block) => block.split('\n')), ...spans].flatMap(commandsOfLine);
}

function commandsOfLine(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [word] of line.matchAll(/"[^"]*"|'[^']*'|\\?\|+|&&|;|[^\s|;]+/g)) {
    if (word.startsWith('#')) break;
    if (/^(\\?\|+|&&|;)$/.test(word)) commands.push([]);
    else if (!/^[A-Z_]+=/.test(word)) commands.at(-1)?.push(word.replace(/^(["'])(.*)\1$/, '$2'));
  }
  return commands.filter((words) => words.length > 0);
}
